"""Train small tokenizers of every kind, and keep what Transformers makes of texts with them.

Run by `make golden`. The tests read `tokenizers.json` and the folder `tokenizers`. What a model
answers is drawn from a seed: the pipeline names it and writes the sequences.
"""

import io
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import sentencepiece
import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer, BertConfig, BertForMaskedLM, FillMaskPipeline

sys.path.insert(0, str(Path(__file__).parent.parent))

from golden.sentences import SENTENCES
from golden.tokenizer_cases import CASES, GOLDEN, PAIRS, PREDICTIONS, STORED, TARGETS
from tiny_checkpoints import cased_vocabulary

ROBERTA = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
BERT = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
MAP = "FF26\t46\nFF45\t65\nFF55\t75\nFF4C\t6C\nFB01\t66 69\n3000\t20\nA0\t20\n"
"""Full width and ligatures, as NFKC has them: SentencePiece's own map takes 300 KB."""
ESM = (
    "<cls> <pad> <eos> <unk> L A G V S E R T I D P K Q N F Y M H W C X B U Z O . - <null_1> <mask>"
)


def main() -> None:
    """Write the tokenizers, and then what is read with them."""
    train_byte_level("byte_level", ROBERTA)
    train_byte_level("modernbert", BERT)
    train_unigrams()
    entries = cased_vocabulary()
    write_lines("word_piece", entries)
    write_lines("mpnet", ["<s>", "<pad>", "</s>", "[UNK]", *entries[5:], "<mask>"])
    write_lines("esm", ESM.split())
    golden = {}
    for case in CASES:
        with tempfile.TemporaryDirectory() as directory:
            golden[case.name] = ask(case, case.write(Path(directory)))
    GOLDEN.write_text(json.dumps(golden, ensure_ascii=False, separators=(",", ":")) + "\n", "utf-8")


def train_byte_level(name: str, special: tuple[str, ...]) -> None:
    """Write a byte-level BPE: RoBERTa's, or ModernBERT's where special tokens are BERT's."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=640,
        special_tokens=list(special),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    mask = special[4]
    tokenizer.add_special_tokens([AddedToken(mask, lstrip=True, normalized=False)])
    begins, ends = ("[CLS]", "[SEP]") if special is BERT else ("<s>", "</s>")
    ids = [(each, tokenizer.token_to_id(each)) for each in (begins, ends)]
    if special is BERT:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{begins} $A {ends}",
            pair=f"{begins} $A {ends} $B {ends}",
            special_tokens=ids,
        )
    else:
        tokenizer.post_processor = processors.RobertaProcessing(ids[1], ids[0])
    folder = open_folder(name)
    tokenizer.save(str(folder / "tokenizer.json"))
    if special is ROBERTA:
        tokenizer.model.save(str(folder))


def train_unigrams() -> None:
    """Write the models of SentencePiece, and what Transformers makes of them as a file."""
    with tempfile.TemporaryDirectory() as directory:
        rules = Path(directory) / "rules.tsv"
        rules.write_text(MAP, "utf-8")
        for name, file, options in (
            ("unigram", "sentencepiece.bpe.model", {}),
            (
                "albert",
                "spiece.model",
                {
                    "pad_id": 0,
                    "unk_id": 1,
                    "bos_id": -1,
                    "eos_id": -1,
                    "control_symbols": ["[CLS]", "[SEP]", "[MASK]"],
                    "user_defined_symbols": ["(", ")", ".", "€"],
                },
            ),
        ):
            model = io.BytesIO()
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=iter(SENTENCES),
                model_writer=model,
                vocab_size=900,
                hard_vocab_limit=False,
                normalization_rule_tsv=str(rules),
                minloglevel=2,
                num_threads=1,
                **options,
            )
            (open_folder(name) / file).write_bytes(model.getvalue())
    for family, file, name in (
        ("xlm-roberta", "sentencepiece.bpe.model", "unigram"),
        ("camembert", "sentencepiece.bpe.model", "camembert"),
        ("albert", "spiece.model", "albert"),
    ):
        case = next(c for c in CASES if c.family == family and file in c.files)
        with tempfile.TemporaryDirectory() as directory:
            tokenizer = AutoTokenizer.from_pretrained(str(case.write(Path(directory))))
        content = json.loads(tokenizer.backend_tokenizer.to_str())
        for token in content["added_tokens"]:
            token["lstrip"] = token["content"] in {"<mask>", "[MASK]"}
        text = json.dumps(content, ensure_ascii=False)
        (open_folder(name) / "tokenizer.json").write_text(text + "\n", "utf-8")


def write_lines(name: str, entries: list[str]) -> None:
    """Write a vocabulary, an entry a line."""
    (open_folder(name) / "vocab.txt").write_text("\n".join(entries) + "\n", "utf-8")


def open_folder(name: str) -> Path:
    """Return the folder of a kind."""
    folder = STORED / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def ask(case: Any, directory: Path) -> dict[str, Any]:
    """Return what Transformers makes of every text."""
    tokenizer = AutoTokenizer.from_pretrained(str(directory))
    mask = tokenizer.mask_token
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        initializer_range=0.5,
    )
    pipeline = FillMaskPipeline(BertForMaskedLM(config).eval(), tokenizer)
    texts = [read(pipeline, text.format(mask=mask)) for text in case.texts]
    pairs = [tokenizer(*(t.format(mask=mask) for t in pair))["input_ids"] for pair in PAIRS]
    vocabulary = tokenizer.get_vocab()
    targets = {
        target: [vocabulary[target]]
        if target in vocabulary
        else tokenizer(target, add_special_tokens=False)["input_ids"]
        for target in TARGETS
    }
    return {"texts": texts, "pairs": pairs, "targets": targets}


def read(pipeline: Any, text: str) -> dict[str, Any]:
    """Return the tokens of a text, and what the pipeline writes of a model's answer."""
    tokenizer = pipeline.tokenizer
    encoded = tokenizer(text, return_offsets_mapping=tokenizer.is_fast)
    answer = pipeline(text, top_k=PREDICTIONS)
    masks = [answer] if isinstance(answer[0], dict) else answer
    return {
        "text": text,
        "ids": encoded["input_ids"],
        "offsets": encoded.get("offset_mapping"),
        "masks": [[[p["token"], p["token_str"], p["sequence"]] for p in mask] for mask in masks],
    }


if __name__ == "__main__":
    main()
