"""No model answers before its head is proven: by a stored proof, or by a probe now."""

from contextlib import suppress
from pathlib import Path

from model_store.engines.fill_mask import FillMaskModel
from model_store.errors import HeadUnprovenError
from model_store.fetching.resolver import embedded_directory
from model_store.loading.proving.head_proof import HeadProof, prove_head
from model_store.loading.proving.head_proof_file import read_proof, read_texts, write_proof


def require_proven_head(model: FillMaskModel, directory: Path) -> HeadProof:
    """Return the proof of a loaded model's head, made once for its files and kept beside them.

    Where it cannot be kept, it is made at every load.

    Raises:
        HeadUnprovenError: the head is no better than chance, or no text is in its language.
    """
    proof = read_proof(directory)
    if proof is None:
        proof = probe_head(model, directory)
        with suppress(OSError):
            keep_proof(directory, proof)
    if not proof.is_verified:
        raise HeadUnprovenError(proof.log_probability, proof.uniform)
    return proof


def probe_head(model: FillMaskModel, directory: Path) -> HeadProof:
    """Probe a loaded model, whatever is stored.

    Raises:
        HeadUnprovenError: no text is in its language.
    """
    proof = prove_head(model, read_texts(directory))
    if proof is None:
        raise HeadUnprovenError
    return proof


def passes_again(model: FillMaskModel, directory: Path) -> bool:
    """Say whether a model knows the text by which its head was proven, if it was.

    A proof is of the files of a preset. What a runtime makes of them may still be something else.
    """
    proof, texts = read_proof(directory), read_texts(directory)
    if proof is None or not proof.is_verified or proof.text not in texts:
        return True
    again = prove_head(model, {proof.text: texts[proof.text]})
    return again is not None and again.is_verified


def keep_proof(directory: Path, proof: HeadProof) -> Path | None:
    """Store a proof beside the files that it was made for, and return its file.

    The embedded preset belongs to the package and came with its proof: nothing is written there,
    and None is returned.

    Raises:
        OSError: it cannot be stored.
    """
    if directory == embedded_directory():
        return None
    return write_proof(directory, proof)
