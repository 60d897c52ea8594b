"""Between texts and what a model reads and answers; no runtime is needed for either.

Encoding and decoding look at one text each and are safe in any thread.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from model_store.encoder.tokenizers.place import Place, find_place
from model_store.encoder.tokenizers.special_tokens import SpecialTokens
from model_store.encoder.tokenizers.spelling import LetterSpelling
from model_store.encoder.tokenizers.tokenizer import SubwordTokenizer
from model_store.errors import (
    EmptyTextError,
    MaskNotFoundError,
    TextPairError,
    TextTooLongError,
    TooManyMasksError,
    UnknownTargetError,
)
from model_store.text.encoding import Encoding, TextLimits
from model_store.text.filled_text import FilledText, MaskScores
from model_store.text.long_text import LongText
from model_store.text.questions import Question
from model_store.text.sentence import Sentence
from model_store.text.splicing import splice_target
from model_store.text.target import Target
from model_store.text.text_pair import Input, TextPair, list_texts
from model_store.text.tokenized_text import TokenizedText


class TextCodec:
    """The tokenizer of a model and the longest text that the model takes."""

    def __init__(
        self, tokenizer: SubwordTokenizer, max_sequence_length: int, num_segments: int = 2
    ) -> None:
        """Encode and decode for one model.

        Args:
            tokenizer: that of the model.
            max_sequence_length: how many tokens the model takes.
            num_segments: how many segments it tells apart; 0 where it knows of none.
        """
        self._tokenizer = tokenizer
        self.spelling, self.places = tokenizer.spelling, tokenizer.places
        self.max_sequence_length = max_sequence_length
        self.num_segments = num_segments
        self.mask_token = tokenizer.special_tokens.mask
        self.mask_token_id = tokenizer.mask_token_id
        self.unk_token_id = tokenizer.unk_token_id

    @classmethod
    def from_bytes(cls, content: bytes) -> "TextCodec":
        """Return a codec that does what another one does, from its `to_bytes`."""
        fields = json.loads(content)
        tokenizer = SubwordTokenizer(
            Tokenizer.from_str(fields["tokenizer"]),
            SpecialTokens(**fields["special_tokens"]),
            clean_up_spaces=fields["clean_up_spaces"],
        )
        return TextCodec(tokenizer, fields["max_sequence_length"], fields["num_segments"])

    def to_bytes(self) -> bytes:
        """Return all that another process needs to encode and decode alike, the same each time."""
        tokenizer = self._tokenizer
        fields = {
            "tokenizer": tokenizer.to_json(pretty=False),
            "special_tokens": asdict(tokenizer.special_tokens),
            "clean_up_spaces": tokenizer.clean_up_spaces,
            "max_sequence_length": self.max_sequence_length,
            "num_segments": self.num_segments,
        }
        return json.dumps(fields).encode()

    @property
    def unreadable_ids(self) -> list[int]:
        """The ids that say that the vocabulary cannot write a text; a list takes a moment."""
        return self._tokenizer.unreadable_ids

    def tokenize(self, text: str) -> NDArray[np.int32]:
        """Return the ids of a text, special tokens included, however long it is: `[tokens]`."""
        return self.tokenize_apart(text)[0]

    def tokenize_apart(self, text: str) -> tuple[NDArray[np.int32], range]:
        """Return the same, and the indices of those that are the text's own."""
        encoded = self._tokenizer.encode(text)
        return np.asarray(self._tokenizer.list_ids(encoded), np.int32), _find_own(encoded)

    def read(self, text: str, limits: TextLimits) -> Sentence:
        """Tokenize a text whose own tokens are looked at; there need be no mask in it.

        Raises:
            InputError: the text cannot be used.
        """
        encoded = self._tokenize(text, limits)
        token_ids = np.asarray(self._tokenizer.list_ids(encoded), np.int32)
        self.require_fit(token_ids.size)
        special = self._tokenizer.special_tokens
        is_wordless = [token in {special.cls, special.sep, special.pad} for token in encoded.tokens]
        return Sentence(
            text=text,
            token_ids=token_ids,
            spans=tuple(encoded.offsets),
            words=np.array([-1 if word is None else word for word in encoded.word_ids], np.int32),
            is_special=np.array(encoded.special_tokens_mask, bool) | is_wordless,
        )

    def split(self, text: str, *, add_special_tokens: bool) -> TokenizedText:
        """Return the tokens of a text, however long it is."""
        encoding = self._tokenizer.encode(text, add_special_tokens=add_special_tokens)
        return TokenizedText(text, self._tokenizer.list_ids(encoding), encoding)

    def encode(
        self,
        text: Input,
        *,
        top_k: int,
        targets: Sequence[str] | None,
        limits: TextLimits,
        own_mask: bool = False,
    ) -> Encoding:
        """Tokenize a text, or two together, and look its targets up.

        Args:
            text: the text, or two.
            top_k: how many predictions a mask.
            targets: entries to score, as Transformers' pipeline looks them up; None for none.
            limits: how long the text may be, and how many masks it may have.
            own_mask: whether `[MASK]` is a mask only where the tokenizer itself spells it so.

        Raises:
            InputError: the text or a target cannot be used.
        """
        encoded = self._tokenize(text, limits, own_mask=own_mask)
        encoding = self._ask(list_texts(text)[0], encoded, limits, top_k)
        if targets is not None:
            encoding = replace(encoding, target_ids=self._look_up(targets))
        if not isinstance(text, str):
            encoding = self._pair(text, encoding, encoded)
        return self._trim(encoding)

    def encode_whole(self, text: str, *, top_k: int, limits: TextLimits) -> LongText:
        """Tokenize a text that may be longer than the model takes.

        Raises:
            InputError: the text cannot be used.
        """
        encoded = self._tokenize(text, limits)
        return LongText(
            encoding=self._trim(self._ask(text, encoded, limits, top_k, is_whole=True)),
            spans=np.asarray(encoded.offsets),
            own=_find_own(encoded),
        )

    def encode_tokens(
        self, text: str, question: Question, limits: TextLimits, *, truncate: bool
    ) -> Encoding:
        """Tokenize a text and ask something of all its tokens, special ones included.

        Args:
            text: there need be no mask in it.
            question: what is asked.
            limits: how long the text may be, in characters.
            truncate: whether to cut off the end where it is longer than the model takes.

        Raises:
            InputError: the text cannot be used.
        """
        encoded = self._tokenize(text, limits)
        token_ids = np.asarray(self._tokenizer.list_ids(encoded), np.int32)
        if not truncate:
            self.require_fit(token_ids.size)
        elif token_ids.size > self.max_sequence_length:
            # What the tokenizer puts behind the text stays there.
            behind = token_ids[_find_own(encoded).stop :]
            token_ids = np.append(token_ids[: self.max_sequence_length - behind.size], behind)
        return Encoding(
            text=text,
            token_ids=token_ids,
            mask_positions=np.arange(token_ids.size),
            mask_spans=(),
            target_ids=None,
            top_k=1,
            question=question,
        )

    def require_fit(self, tokens: int) -> None:
        """Refuse what is longer than the model takes.

        Raises:
            TextTooLongError: it is.
        """
        if tokens > self.max_sequence_length:
            raise TextTooLongError(tokens, self.max_sequence_length, "tokens")

    def find_place(self, encoding: Encoding, mask: int) -> Place:
        """Return where in its text a mask stands, if what fills it is spelled by that."""
        if self.places == (Place.WORD,):
            return Place.WORD
        return find_place(encoding.text_of(mask), encoding.mask_spans[mask][0])

    def read_target(self, target: str, place: Place = Place.WORD) -> Target:
        """Return what a mask may be filled with, as the vocabulary writes it in its place."""
        token_ids = tuple(self._tokenizer.target_ids(target, place))
        return Target(target, token_ids, tuple(map(self._tokenizer.token_str, token_ids)))

    def splice_target(self, encoding: Encoding, mask: int, target: Target) -> str:
        """Return the caller's own text with one mask filled by a target that can be written."""
        first = self.entry(target.token_ids[0])
        return splice_target(encoding, mask, target, first, self.spelling)

    def token_str(self, token: int) -> str:
        """Return an id as people read it, see `SubwordTokenizer`."""
        return self._tokenizer.token_str(token)

    def entry(self, token: int) -> str:
        """Return the vocabulary entry of an id."""
        return self._tokenizer.entry(token)

    def write(self, token_ids: Sequence[int]) -> str:
        """Return the text of ids, as the tokenizer writes it: the words with spaces between."""
        text = self._tokenizer.decode(token_ids, skip_special_tokens=False)
        return self.spelling.strip_text(text) if isinstance(self.spelling, LetterSpelling) else text

    def decode(self, encoding: Encoding, scores: Sequence[MaskScores]) -> FilledText:
        """Name the candidates for every mask of a text."""
        return FilledText(encoding, scores, self._tokenizer)

    def _tokenize(self, text: Input, limits: TextLimits, *, own_mask: bool = False) -> Any:
        """Return the `tokenizers.Encoding` of a text, or of two."""
        texts = list_texts(text)
        if not all(map(str.strip, texts)):
            raise EmptyTextError
        if len(text) > limits.max_characters:
            raise TextTooLongError(len(text), limits.max_characters, "characters")
        return self._tokenizer.encode(*texts, own_mask=own_mask)

    def _ask(
        self, text: str, encoded: Any, limits: TextLimits, top_k: int, *, is_whole: bool = False
    ) -> Encoding:
        """Return the encoding of a text with a mask, however long it is if `is_whole`."""
        # Over a list: of a text of few tokens that takes a third of what an array would.
        token_ids, mask_token_id = self._tokenizer.list_ids(encoded), self.mask_token_id
        masks = [index for index, token in enumerate(token_ids) if token == mask_token_id]
        if not masks:
            raise MaskNotFoundError(self.mask_token)
        if not is_whole:
            self.require_fit(len(token_ids))
        if len(masks) > limits.max_masks:
            raise TooManyMasksError(len(masks), limits.max_masks)
        return Encoding(
            text=text,
            token_ids=np.array(token_ids, np.int32),
            mask_positions=np.array(masks, np.int64),
            mask_spans=tuple(map(encoded.token_to_chars, masks)),
            target_ids=None,
            top_k=top_k,
        )

    def _trim(self, encoding: Encoding) -> Encoding:
        """Leave the white space that a mask takes with it out of where the mask lies."""
        return encoding.trim() if self._tokenizer.is_mask_stripping else encoding

    def _pair(self, pair: TextPair, encoding: Encoding, encoded: Any) -> Encoding:
        """Return the encoding of a pair, from that of its tokens."""
        segment_ids = np.asarray(encoded.type_ids, np.int32)
        # A model of no segments tells two texts apart by what stands between them.
        if self.num_segments and segment_ids.max() >= self.num_segments:
            raise TextPairError
        masks = encoding.mask_positions.tolist()
        return replace(
            encoding,
            segment_ids=segment_ids,
            text_pair=pair.text_pair,
            mask_texts=tuple(map(encoded.token_to_sequence, masks)),
        )

    def _look_up(self, targets: Sequence[str]) -> NDArray[np.int32]:
        """Return the ids of targets, each once."""
        ids: dict[int, None] = {}
        for target in targets:
            token_id = self._tokenizer.target_id(target)
            if token_id is None:
                raise UnknownTargetError(target)
            ids[token_id] = None
        return np.fromiter(ids, np.int32, len(ids))


def _find_own(encoded: Any) -> range:
    """Return the indices of a text's own tokens; others are put around it."""
    own = np.flatnonzero(np.asarray(encoded.special_tokens_mask) == 0)
    return range(int(own[0]), int(own[-1]) + 1) if own.size else range(0)
