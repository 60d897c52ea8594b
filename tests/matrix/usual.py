"""The usual checkpoint, in every layout of files; weights come from a seed."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers, processors
from tokenizers.models import WordPiece

from matrix.row import (
    BIN,
    BIN_PARTS,
    GONE,
    OLD_BIN,
    SAFETENSORS,
    SAFETENSORS_PARTS,
    TOKENIZER,
    Case,
    Tensors,
)
from tiny_checkpoints import SPECIAL_TOKENS, TinyConfig, cased_vocabulary, make_tensors
from torch_files import write_legacy, write_state_dict, write_zip

VOCABULARY = [*cased_vocabulary(), "[E1]", "[/E1]", "[unused1]", "<mask>", "</s>"]
ROWS = len(VOCABULARY) + 8
"""The model has a few more than the tokenizer has entries, for tokens that are added."""

SHAPE = TinyConfig(num_heads=4, hidden_dim=16, intermediate_dim=24, max_sequence_length=64)
CONFIG = {
    "architectures": ["BertForMaskedLM"],
    "model_type": "bert",
    "vocab_size": ROWS,
    "num_hidden_layers": SHAPE.num_layers,
    "num_attention_heads": SHAPE.num_heads,
    "hidden_size": SHAPE.hidden_dim,
    "intermediate_size": SHAPE.intermediate_dim,
    "max_position_embeddings": SHAPE.max_sequence_length,
    "type_vocab_size": 2,
    "hidden_act": SHAPE.hidden_act,
    "layer_norm_eps": SHAPE.layer_norm_epsilon,
}
TOKENIZER_CONFIG = {"tokenizer_class": "BertTokenizer", "do_lower_case": False}
_WEIGHTS = {
    SAFETENSORS_PARTS: "model.safetensors",
    BIN_PARTS: "pytorch_model.bin",
    OLD_BIN: "pytorch_model.bin",
    BIN: "pytorch_model.bin",
    SAFETENSORS: "model.safetensors",
}


def write_case(case: Case, directory: Path) -> Path:
    """Write the checkpoint of a case, and return where it is."""
    directory.mkdir(parents=True, exist_ok=True)
    tensors: Tensors = dict(make_tensors(ROWS, SHAPE))
    case.row.tensors(tensors)
    write_weights(directory, tensors, case.layout)
    write_json(directory / "config.json", CONFIG)
    write_json(directory / "tokenizer_config.json", TOKENIZER_CONFIG)
    if TOKENIZER in case.layout:
        (directory / "tokenizer.json").write_text(make_tokenizer().to_str(), "utf-8")
    else:
        (directory / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n", "utf-8")
    for name, change in case.row.files.items():
        change_file(directory / name, change)
    return directory


def make_tokenizer() -> Tokenizer:
    """Return the usual tokenizer."""
    tokenizer = Tokenizer(WordPiece({e: i for i, e in enumerate(VOCABULARY)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(prefix="##")
    tokenizer.add_special_tokens(list(SPECIAL_TOKENS))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    return tokenizer


def write_weights(directory: Path, tensors: Tensors, layout: str) -> None:
    """Write weights in a layout; in parts every third tensor lies in another file."""
    kind = next((kind for kind in _WEIGHTS if layout.startswith(kind)), SAFETENSORS)
    name = _WEIGHTS[kind]
    if "parts" not in kind:
        _write_file(directory / name, tensors, kind)
        return
    stem, suffix = name.split(".")
    parts = [f"{stem}-{number:05}-of-00003.{suffix}" for number in (1, 2, 3)]
    places = {name: parts[index % 3] for index, name in enumerate(tensors)}
    for part in parts:
        held = {name: tensors[name] for name, place in places.items() if place == part}
        _write_file(directory / part, held, kind)
    index = {"metadata": {"total_size": 1}, "weight_map": places}
    write_json(directory / f"{name}.index.json", index)


def _write_file(path: Path, tensors: Tensors, kind: str) -> None:
    if path.suffix == ".safetensors":
        held = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
        save_file(held, path, metadata={"format": "pt"})
    else:
        write_state_dict(path, tensors, write_legacy if kind == OLD_BIN else write_zip)


def change_file(path: Path, change: Any) -> None:
    """Change a file as a row says, or make it."""
    if change is GONE:
        path.unlink(missing_ok=True)
    elif isinstance(change, Mapping):
        content = json.loads(path.read_text("utf-8")) if path.is_file() else {}
        content |= change
        write_json(path, {key: value for key, value in content.items() if value is not GONE})
    elif isinstance(change, str):
        path.write_bytes(change.encode())
    else:
        change(path)


def write_json(path: Path, content: Any) -> None:
    """Write JSON."""
    path.write_text(json.dumps(content, indent=1), "utf-8")
