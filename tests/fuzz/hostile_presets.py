"""Preset directories of every format, and everything that can be wrong with one of their files."""

import json
import os
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from model_store.checkpoints import Checkpoint, write_keras_preset, write_transformers_dir
from model_store.encoder.config import EncoderConfig
from model_store.encoder.tokenizers.word_piece import build_word_piece
from model_store.fetching.source import FileRecord, Source, write_source
from random_checkpoints import fill_checkpoint
from tiny_checkpoints import SPECIAL_TOKENS
from torch_files import write_state_dict, write_zip

Files = dict[str, bytes]

_HOLE = "@hole@"
RAW_VALUES = (
    *("null", "true", "0", "-1", "1", "1.5", "NaN", "-Infinity", "1e400", "2147483648"),
    *('""', '"bert"', '"\\ud800"', '"\\u0000"', '"a b"', '"$A"', '"../../etc/passwd"'),
    *("[]", "[[]]", "{}", '{"a": {}}', '{"content": 1}', '["gelu"]', "[null, 1]"),
    f'"{"x" * 10_000}"',
    "9" * 400,
    "9" * 5_000,
    "[" * 5_000 + "]" * 5_000,
    '{"a":' * 5_000 + "1" + "}" * 5_000,
    "[" * 600 + "]" * 600,
)
"""JSON that no field expects, as it stands in a file: some of it no writer would write."""


def make_checkpoint() -> Checkpoint:
    """Return a complete checkpoint of next to no size."""
    vocabulary = [*SPECIAL_TOKENS, "the", "cat", "sat", "##s", ".", "a"]
    config = EncoderConfig(len(vocabulary), 1, 2, 4, 6, 16)
    return fill_checkpoint(config, build_word_piece(vocabulary))


def write_keras(directory: Path) -> None:
    """Write KerasHub's format."""
    write_keras_preset(make_checkpoint(), directory)


def write_safetensors(directory: Path) -> None:
    """Write Transformers' format, its tokenizer as a `tokenizer.json`."""
    write_transformers_dir(make_checkpoint(), directory)


def write_torch(directory: Path, write: Callable[..., Path]) -> None:
    """Write Transformers' format as PyTorch saves it, its tokenizer as a `vocab.txt`."""
    write_safetensors(directory)
    tensors = load_file(directory / "model.safetensors")
    (directory / "model.safetensors").unlink()
    (directory / "tokenizer.json").unlink()
    write_state_dict(directory / "pytorch_model.bin", tensors, write)


def write_tokenizer_file(directory: Path) -> None:
    """Write Transformers' format, its tokenizer as a file that is taken as it stands."""
    write_safetensors(directory)
    options = {"tokenizer_class": "PreTrainedTokenizerFast", "mask_token": "[MASK]"}
    (directory / "tokenizer_config.json").write_text(json.dumps(options))
    (directory / "vocab.txt").unlink()
    _write_special_tokens(directory)


def write_parts(directory: Path, suffix: str) -> None:
    """Write Transformers' format in parts, with all files that older versions wrote beside it."""
    write_safetensors(directory)
    tensors = load_file(directory / "model.safetensors")
    (directory / "model.safetensors").unlink()
    (directory / "tokenizer.json").unlink()
    name = f"model.{suffix}" if suffix == "safetensors" else f"pytorch_model.{suffix}"
    parts = [name.replace(".", f"-0000{number}-of-00002.") for number in (1, 2)]
    places = {tensor_name: parts[index % 2] for index, tensor_name in enumerate(tensors)}
    for part in parts:
        held = {key: tensors[key] for key, place in places.items() if place == part}
        if suffix == "safetensors":
            save_file(held, directory / part)
        else:
            write_state_dict(directory / part, held, write_zip)
    index = {"metadata": {}, "weight_map": places}
    (directory / f"{name}.index.json").write_text(json.dumps(index))
    config = json.loads((directory / "config.json").read_text())
    del config["model_type"]
    config |= {"tokenizer_class": "BertTokenizer", "pruned_heads": {"0": [1]}}
    (directory / "config.json").write_text(json.dumps(config))
    _write_special_tokens(directory)


def _write_special_tokens(directory: Path) -> None:
    """Write the files beside the vocabulary that name tokens."""
    token = {"content": "[MASK]", "lstrip": False, "rstrip": False, "normalized": False}
    special = {"mask_token": token, "additional_special_tokens": ["the", "[SEP]"]}
    (directory / "special_tokens_map.json").write_text(json.dumps(special))
    (directory / "added_tokens.json").write_text(json.dumps({"cat": 6, "sat": 7}))


def write_joined(directory: Path) -> None:
    """Write KerasHub's format with its head apart, as it is pulled, and the record of the pull."""
    write_keras(directory)
    write_safetensors(directory / "head")
    files = {
        path: FileRecord(len(content), "0" * 64) for path, content in read_files(directory).items()
    }
    write_source(directory, Source("kaggle://a/b/keras/c", "1", files))


def write_google(directory: Path) -> None:
    """Write Google's format."""
    # TensorFlow takes seconds to import, and this folder's other files do without it.
    from google_checkpoints import write_google_tf1  # noqa: PLC0415

    write_google_tf1(directory, make_checkpoint())


def read_files(directory: Path) -> Files:
    """Return every file of a directory by its path."""
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def write_files(directory: Path, files: Files) -> None:
    """Write files by their paths."""
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """Draw a file that was this one: cut, flipped, spliced, or replaced as a whole."""
    kind = draw(st.sampled_from(["cut", "flip", "flip", "splice", "field", "field", "whole"]))
    if kind == "field" and (fields := _list_fields(content)):
        field = draw(st.sampled_from(fields))
        return fill_field(content, field, draw(st.sampled_from(RAW_VALUES)))
    if kind == "whole" or not content:
        raw = st.sampled_from(RAW_VALUES).map(str.encode)
        return draw(st.binary(max_size=200) | raw)
    places = st.integers(0, len(content) - 1)
    if kind == "cut":
        return content[: draw(places)]
    mutable = bytearray(content)
    if kind == "splice":
        start, end, target = draw(places), draw(places), draw(places)
        mutable[target:target] = content[min(start, end) : max(start, end)]
        return bytes(mutable)
    for place in draw(st.lists(places, min_size=1, max_size=8)):
        mutable[place] ^= draw(st.integers(1, 255))
    return bytes(mutable)


def _list_fields(content: bytes) -> list[tuple[Any, ...]]:
    """Return the path of every value of a JSON file, in order; none where it is no JSON."""
    try:
        return list(_walk(json.loads(content)))
    except (ValueError, RecursionError):
        return []


def _walk(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else ()
    items = enumerate(value[:8]) if isinstance(value, list) else items
    yield from chain.from_iterable(_walk(child, (*path, key)) for key, child in items)


def fill_field(content: bytes, path: tuple[Any, ...], raw: str) -> bytes:
    """Return a JSON file with other text in the place of one value."""
    document = parent = json.loads(content)
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = _HOLE
    return json.dumps(document).replace(f'"{_HOLE}"', raw).encode()


def put_nothing(path: Path) -> None:
    """Remove a file."""
    path.unlink()


def put_directory(path: Path) -> None:
    """Put a directory in the place of a file."""
    path.unlink()
    path.mkdir()


def put_loop(path: Path) -> None:
    """Put a link to itself in the place of a file."""
    path.unlink()
    path.symlink_to(path.name)


def put_pipe(path: Path) -> None:
    """Put a pipe into which nobody writes in the place of a file."""
    path.unlink()
    os.mkfifo(path)


def put_endless_device(path: Path) -> None:
    """Put a link to a file without end in the place of a file."""
    path.unlink()
    path.symlink_to("/dev/zero")


def put_huge(path: Path) -> None:
    """Put 64 GiB of zeros, which take no room on the disk, behind a file's content."""
    os.truncate(path, 2**36)


def put_huge_hole(path: Path) -> None:
    """Put 64 GiB of zeros in the place of a file."""
    path.write_bytes(b"")
    os.truncate(path, 2**36)


REPLACEMENTS = (
    put_nothing,
    put_directory,
    put_loop,
    put_pipe,
    put_endless_device,
    put_huge,
    put_huge_hole,
)
