"""Small checkpoints with random weights, the same on every machine: NumPy makes them from a seed.

Their weights are large enough that predictions differ clearly from each other.
"""

import json
import string
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from model_store.loading.proving.head_proof import HeadProof
from model_store.loading.proving.head_proof_file import write_proof

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_ACCENTED = "àáâãäåæçèéêëìíîïñòóôõöøùúûüýÿœßłřžščćęąőűğışİÀÉÈÖÜÄÇÑØÅŁŽ"
_OTHER_SCRIPTS = "абвгдежзийклмнопрстуфхцчшщыьэюяАБВГДМПСабгдיתשلمعربية"
_CJK = "北京是中国的首都日本東語文字大学生人口天水火山川我你他她很好吃饭今明年月在有不了上海"
_SYMBOLS = "😀🎉🚀❤✨👍…—“”‘’«»€£¥°±×÷"
_WORDS = (
    "the The a A of in to and is was are were on for with as at by it It he He she She they I you "
    "Paris London Berlin France Germany Italy capital city river house home school water fire day "
    "night morning evening man woman child dog cat bird tree book car train very good bad new old "
    "big small red blue green go went come came see saw said say make made take took eat ate drink "
    "##s ##ing ##ed ##er ##ly ##est ##tion ##ment ##ness ##able ##un ##é ##ü ##语 ##本"
)


@dataclass(frozen=True)
class TinyConfig:
    """The shape of a small checkpoint."""

    num_layers: int = 2
    num_heads: int = 4
    hidden_dim: int = 32
    intermediate_dim: int = 64
    max_sequence_length: int = 64
    hidden_act: str = "gelu"
    layer_norm_epsilon: float = 1e-12


def cased_vocabulary() -> list[str]:
    """Return a few hundred entries: letters of many scripts, their continuations, and words."""
    letters = string.ascii_letters + string.digits + _ACCENTED + _OTHER_SCRIPTS + _CJK
    entries = [
        *SPECIAL_TOKENS,
        *string.punctuation,
        *letters,
        *(f"##{letter}" for letter in letters),
        *_SYMBOLS,
        *_WORDS.split(),
    ]
    return list(dict.fromkeys(entries))


def make_tensors(
    vocabulary_size: int, config: TinyConfig, *, seed: int = 0
) -> dict[str, np.ndarray[Any, np.dtype[np.float32]]]:
    """Return the weights of a `BertForMaskedLM` under Transformers' names."""
    rng = np.random.default_rng(seed)
    tensors: dict[str, np.ndarray[Any, np.dtype[np.float32]]] = {}

    def add(name: str, *shape: int, scale: float, around: float = 0.0) -> None:
        values = rng.standard_normal(shape) * scale + around
        tensors[name] = values.astype(np.float32)

    def add_dense(name: str, wide_in: int, wide_out: int) -> None:
        add(f"{name}.weight", wide_out, wide_in, scale=1.5 / np.sqrt(wide_in))
        add(f"{name}.bias", wide_out, scale=0.1)

    def add_layer_norm(name: str) -> None:
        add(f"{name}.weight", width, scale=0.1, around=1.0)
        add(f"{name}.bias", width, scale=0.1)

    width = config.hidden_dim
    add("bert.embeddings.word_embeddings.weight", vocabulary_size, width, scale=0.5)
    add("bert.embeddings.position_embeddings.weight", config.max_sequence_length, width, scale=0.3)
    add("bert.embeddings.token_type_embeddings.weight", 2, width, scale=0.3)
    add_layer_norm("bert.embeddings.LayerNorm")
    for index in range(config.num_layers):
        layer = f"bert.encoder.layer.{index}"
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            add_dense(f"{layer}.attention.{part}", width, width)
        add_layer_norm(f"{layer}.attention.output.LayerNorm")
        add_dense(f"{layer}.intermediate.dense", width, config.intermediate_dim)
        add_dense(f"{layer}.output.dense", config.intermediate_dim, width)
        add_layer_norm(f"{layer}.output.LayerNorm")
    add_dense("cls.predictions.transform.dense", width, width)
    add_layer_norm("cls.predictions.transform.LayerNorm")
    add("cls.predictions.bias", vocabulary_size, scale=0.5)
    return tensors


def write_transformers_dir(
    directory: Path,
    *,
    vocabulary: list[str] | None = None,
    config: TinyConfig | None = None,
    lowercase: bool = False,
    seed: int = 0,
) -> Path:
    """Write a small checkpoint as Transformers would, and return its directory."""
    vocabulary = vocabulary or cased_vocabulary()
    config = config or TinyConfig()
    directory.mkdir(parents=True, exist_ok=True)
    save_file(
        make_tensors(len(vocabulary), config, seed=seed),
        directory / "model.safetensors",
        metadata={"format": "pt"},
    )
    _write_json(
        directory / "config.json",
        {
            "architectures": ["BertForMaskedLM"],
            "model_type": "bert",
            "vocab_size": len(vocabulary),
            "num_hidden_layers": config.num_layers,
            "num_attention_heads": config.num_heads,
            "hidden_size": config.hidden_dim,
            "intermediate_size": config.intermediate_dim,
            "max_position_embeddings": config.max_sequence_length,
            "hidden_act": config.hidden_act,
            "layer_norm_eps": config.layer_norm_epsilon,
            "type_vocab_size": 2,
        },
    )
    _write_json(
        directory / "tokenizer_config.json",
        {"tokenizer_class": "BertTokenizer", "do_lower_case": lowercase},
    )
    (directory / "vocab.txt").write_text("\n".join(vocabulary) + "\n", "utf-8")
    return directory


def forge_proof(directory: Path) -> None:
    """Let a store serve random weights: what is tested with them is not what they know."""
    write_proof(directory, HeadProof("forged", log_probability=0.0, uniform=-9.0, shuffled=-9.0))


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2), "utf-8")
