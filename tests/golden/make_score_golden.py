"""Ask minicons how likely sentences are, in float32, and keep its answers.

Run by `make golden`. The tests read `score.jsonl` and need neither minicons nor PyTorch. A line
holds a text, its tokens, and for each method the log-probability of every token.

minicons asks a tokenizer by a method that Transformers 5 lacks; it also takes what a tokenizer
answered, so that is what it is given.
"""

import json
import sys
from pathlib import Path
from typing import Any

import torch
from minicons.scorer import MaskedLMScorer
from transformers import AutoModelForMaskedLM, AutoTokenizer

sys.path.insert(0, str(Path(__file__).parent.parent))

from golden.sentences import SENTENCES

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
EMBEDDED = ROOT / "model_store" / "presets" / "minilm_l6_en_uncased"
METHODS = {"pll": "original", "pll_word_l2r": "within_word_l2r"}
COUNT = 200

RARE = """
He bought a souvenir in the little harbour.
The ornithologist photographed a kingfisher.
She poured the marmalade over her croissant.
Our veterinarian recommends unsweetened yoghurt.
The orchestra rehearsed Tchaikovsky's overture.
A hummingbird hovered above the rhododendrons.
He unscrewed the lid with a rusty screwdriver.
The locksmith overslept and missed his appointment.
Grandmother embroidered handkerchiefs by candlelight.
They misunderstood the zookeeper's instructions.
The pickpocket tiptoed through the marketplace.
It was an unforgivable, shameless oversimplification.
The archaeologists unearthed a sarcophagus near Thebes.
Paragliding is forbidden near the lighthouse.
She whispered the password to the doorkeeper.
Microbiologists sequenced the bacterium's genome.
The bricklayers quarrelled about their wheelbarrows.
His stepbrother plays the bagpipes and the ukulele.
I sprinkled cinnamon on the pumpkin porridge.
An earthquake toppled the scaffolding in Kathmandu.
The hairdresser dyed my eyebrows by mistake.
We dehydrated the mushrooms in the sunshine.
Nobody could decipher the illegible postscript.
The tightrope walker juggled flaming torches.
Fireflies glimmered between the weeping willows.
The mayor inaugurated a refurbished planetarium.
Squirrels nibbled the chestnuts in our backyard.
The stowaway was handcuffed in Marseille.
Her screenplay satirizes bureaucrats.
The thermometer plummeted overnight.
Unfortunately the upholstery smelled of mothballs.
The trapeze artist sprained her ankle in Ljubljana.
He mispronounced Reykjavik throughout the broadcast.
My apprentice varnished the cupboard twice.
Jellyfish drifted past the snorkelling tourists.
The crossword puzzle contained an anagram of spaghetti.
Overfishing jeopardizes the Mediterranean tuna.
The blacksmith sharpened seven scythes.
Sleepwalkers rarely stumble over furniture.
The watchmaker's daughter collects porcelain thimbles.
""".strip().split("\n")
"""Words of several pieces, in which alone the methods differ."""


def main() -> None:
    """Write the file."""
    model = AutoModelForMaskedLM.from_pretrained(EMBEDDED, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(EMBEDDED)
    scorer = MaskedLMScorer(model, "cpu", tokenizer)
    with (HERE / "score.jsonl").open("w", encoding="utf-8") as file:
        for text in list_sentences():
            line = {"text": text, **ask(scorer, text)}
            file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")


def list_sentences() -> list[str]:
    """Return the sentences of the other golden files, rare words, and good and bad ones in turn."""
    pairs = (ROOT / "bench" / "minimal_pairs.tsv").read_text("utf-8").splitlines()
    missing = COUNT - len(SENTENCES) - len(RARE)
    chosen = pairs[:: len(pairs) // missing][:missing]
    return [*SENTENCES, *RARE, *(pair.split("\t")[1 + i % 2] for i, pair in enumerate(chosen))]


def ask(scorer: Any, text: str) -> dict[str, list[Any]]:
    """Return the tokens of a text, and what each method says of them."""
    encoded = scorer.tokenizer([text])
    [ids] = encoded["input_ids"]
    answers: dict[str, list[Any]] = {"tokens": scorer.tokenizer.convert_ids_to_tokens(ids)[1:-1]}
    for method, name in METHODS.items():
        prepared = scorer.prepare_text(encoded, PLL_metric=name)
        [log_probs] = scorer.compute_stats(prepared)
        answers[method] = [round(log_prob, 6) for log_prob in log_probs]
    return answers


if __name__ == "__main__":
    main()
