"""`sentencepiece.bpe.model`, `spiece.model`: a vocabulary as SentencePiece stores it.

A message of protocol buffers, of which three fields count here (`sentencepiece_model.proto` of
github.com/google/sentencepiece): the pieces, of what kind the model is, and how characters are
mapped first. It is parsed and written by these fields alone; nothing of it is run.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from model_store.checkpoints.files import read_bytes
from model_store.errors import ModelLoadError

_UNIGRAM = 1
_UNKNOWN, _CONTROL, _USER_DEFINED = 2, 3, 4

_STRING, _FLOAT, _INT, _BYTES, _MESSAGE = 9, 2, 5, 12, 11
_FIELDS = {
    "Piece": (("piece", 1, _STRING), ("score", 2, _FLOAT), ("type", 3, _INT)),
    "Trainer": (("model_type", 3, _INT), ("unk_id", 40, _INT)),
    "Normalizer": (("precompiled_charsmap", 2, _BYTES),),
}
_PARTS = (
    ("pieces", 1, "Piece"),
    ("trainer_spec", 2, "Trainer"),
    ("normalizer_spec", 3, "Normalizer"),
)


@dataclass(frozen=True, slots=True)
class SentencePieceModel:
    """A vocabulary.

    Attributes:
        pieces: the entries and their log-probabilities, the id of each its index.
        added: entries that are found in a text before it is cut, and whether they are control
            symbols, which no text has.
        character_map: what characters become first, as SentencePiece stores it; None for no map.
    """

    pieces: tuple[tuple[str, float], ...]
    added: tuple[tuple[str, bool], ...]
    character_map: bytes | None


def read_sentencepiece(path: Path) -> SentencePieceModel:
    """Read a file.

    Raises:
        ModelLoadError: it is missing or broken, or is no Unigram model.
    """
    message = _make_message_class()()
    try:
        message.ParseFromString(read_bytes(path))
    except DecodeError as error:
        reason = f"{path.name} is no SentencePiece model; fetch it again."
        raise ModelLoadError(reason) from error
    # What the file does not say is Unigram.
    if message.trainer_spec.model_type not in {0, _UNIGRAM} or not message.pieces:
        reason = (
            f"{path.name} is no Unigram model of SentencePiece; use a checkpoint that has one, or "
            "add Transformers' tokenizer.json where it has its own."
        )
        raise ModelLoadError(reason)
    return SentencePieceModel(
        tuple((piece.piece, piece.score) for piece in message.pieces),
        tuple(
            (piece.piece, piece.type == _CONTROL)
            for piece in message.pieces
            if piece.type in {_CONTROL, _USER_DEFINED}
        ),
        message.normalizer_spec.precompiled_charsmap or None,
    )


def write_sentencepiece(path: Path, model: SentencePieceModel, unknown: str) -> None:
    """Write a file that SentencePiece reads too; log-probabilities have 32 bits there.

    Args:
        path: its name.
        model: the vocabulary.
        unknown: the entry for what cannot be written.
    """
    kinds = {text: _CONTROL if is_control else _USER_DEFINED for text, is_control in model.added}
    kinds[unknown] = _UNKNOWN
    message = _make_message_class()()
    for entry, score in model.pieces:
        piece = message.pieces.add(piece=entry, score=score)
        if entry in kinds:
            piece.type = kinds[entry]
    message.trainer_spec.model_type = _UNIGRAM
    if model.character_map:
        message.normalizer_spec.precompiled_charsmap = model.character_map
    path.write_bytes(message.SerializeToString())


@cache
def _make_message_class() -> Any:
    """Return the class of the message, of the fields above."""
    file = descriptor_pb2.FileDescriptorProto(name="sentencepiece.proto", package="fillmask")
    for name, fields in _FIELDS.items():
        message = file.message_type.add(name=name)
        for field, number, kind in fields:
            message.field.add(name=field, number=number, type=kind, label=1)
    model = file.message_type.add(name="Model")
    for field, number, name in _PARTS:
        label = 3 if field == "pieces" else 1
        type_name = f".fillmask.{name}"
        model.field.add(name=field, number=number, type=_MESSAGE, label=label, type_name=type_name)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("fillmask.Model"))
