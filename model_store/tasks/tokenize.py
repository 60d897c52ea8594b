"""The tokens of texts: a task that needs a model's tokenizer, and no score."""

from collections.abc import Sequence
from dataclasses import dataclass

from model_store.errors import TextTooLongError
from model_store.tasks.limits import TaskLimits, require
from model_store.tasks.task import Task
from model_store.text.text_codec import TextCodec
from model_store.text.tokenized_text import Token


@dataclass(frozen=True, slots=True)
class TokenizeRequest:
    """Texts whose tokens are wanted, however many these are to the model.

    Attributes:
        inputs: the texts.
        add_special_tokens: whether what the model needs around a text is listed, too.
    """

    inputs: Sequence[str]
    add_special_tokens: bool = True

    name = "tokenize"

    @property
    def characters(self) -> int:
        """How much text there is to tokenize."""
        return sum(map(len, self.inputs))

    def check(self, limits: TaskLimits) -> None:
        """Refuse what no model could answer.

        Raises:
            RequestLimitError: too many inputs.
            TextTooLongError: a text has too many characters.
        """
        require("inputs", len(self.inputs), limits.max_inputs)
        for index, text in enumerate(self.inputs):
            if len(text) > limits.text.max_characters:
                error = TextTooLongError(len(text), limits.text.max_characters, "characters")
                error.input = index
                raise error

    def start(self, codec: TextCodec, limits: TaskLimits) -> Task[list[list[Token]]]:
        """Return the task, which has no round.

        Raises:
            RequestLimitError: there are more tokens than one answer may list.
        """
        yield from ()
        texts = [
            codec.split(text, add_special_tokens=self.add_special_tokens) for text in self.inputs
        ]
        require("tokens", sum(map(len, texts)), limits.max_listed_tokens)
        return [text.list_tokens() for text in texts]
