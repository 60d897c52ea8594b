"""What the reader of a page is taken to have: files of their own, and hubs with models."""

import json
import lzma
from pathlib import Path
from shutil import copytree

from contract.documents import ROOT, read
from fake_hub import FakeHub, read_files
from hub_fixtures import make_keras_files, make_original_files
from model_store.fetching.catalog import EMBEDDED
from protein_cases import GOLDEN, write_protein_dir
from tiny_checkpoints import forge_proof

_EMBEDDED_DIR = ROOT / "model_store" / "presets" / EMBEDDED
_TEXTS = ("The capital of France is [MASK].", "She is a very [MASK] person.")


def give_model(directory: Path, _: FakeHub) -> None:
    """A checkpoint, at the places that pages call theirs."""
    for place in ("given/my-model", "given/models/my-model", "models/my_model"):
        copytree(_EMBEDDED_DIR, directory / place)


def give_texts(directory: Path, _: FakeHub) -> None:
    """Texts with masks, as lines and as requests."""
    (directory / "texts.txt").write_text("".join(f"{text}\n" for text in _TEXTS), "utf-8")
    requests = "".join(f"{json.dumps({'inputs': text})}\n" for text in _TEXTS)
    (directory / "texts.jsonl").write_text(requests, "utf-8")


def give_corpus(directory: Path, _: FakeHub) -> None:
    """English to train on: a page of ours."""
    for name in ("english-00", "english-01", "heldout"):
        text = read("docs/architecture.md").encode()
        (directory / f"{name}.txt.xz").write_bytes(lzma.compress(text))


def give_hubs(_: Path, hub: FakeHub) -> None:
    """The presets that pages pull, small."""
    for name in ("bert_base_en_uncased", "bert_base_zh"):
        hub.models[f"keras/bert/keras/{name}"] = make_keras_files(2)
    hub.repositories["google-bert/bert-base-german-cased"] = make_original_files(2)


def give_german(_: Path, hub: FakeHub) -> None:
    """A model that can be proven, under the name that a page pulls."""
    hub.repositories["google-bert/bert-base-german-cased"] = read_files(_EMBEDDED_DIR)


def give_protein_model(directory: Path, _: FakeHub) -> None:
    """A small one in place of the one that a page pulls."""
    case = json.loads(GOLDEN.read_text("utf-8"))["rotary-dropout"]
    forge_proof(write_protein_dir(directory / "models" / "facebook--esm2_t12_35M_UR50D", case))


GIVEN = {
    "README.md": (give_model,),
    "docs/bulk.md": (give_texts,),
    "docs/command-line.md": (give_texts, give_hubs),
    "docs/offline.md": (give_german,),
    "docs/operations.md": (give_model, give_hubs),
    "docs/own-checkpoint.md": (give_model,),
    "docs/proteins.md": (give_protein_model,),
    "docs/training.md": (give_corpus,),
}
"""By page; the others take nothing for granted."""
