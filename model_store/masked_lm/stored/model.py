"""Writing a masked LM in the formats of other libraries."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from model_store.checkpoints import (
    Checkpoint,
    is_keras_family,
    write_keras_model,
    write_keras_preset,
    write_transformers_dir,
)
from model_store.encoder.config import EncoderConfig
from model_store.masked_lm.stored.weights import read_weights, require_one_file


class StoredModel:
    """A masked LM that can be written."""

    backbone: Any
    masked_lm_head: Any
    preprocessor: Any

    def to_config(self) -> EncoderConfig:
        """Return the model's shape."""
        head = self.masked_lm_head
        config: EncoderConfig = self.backbone.to_config()
        return replace(
            config,
            head_hidden_act=head.hidden_act,
            head_layer_norm_epsilon=head.layer_norm_epsilon,
            tie_word_embeddings=head.token_embedding is not None,
            transform_bias=head.transform_bias,
            decoder_bias=head.decoder_bias,
        )

    def to_checkpoint(self) -> Checkpoint:
        """Return the model's shape, tokenizer and weights, as a checkpoint format writes them.

        Raises:
            ValueError: there is no preprocessor, and so no tokenizer, or the model is quantized.
        """
        if self.preprocessor is None:
            message = "The model has no tokenizer; set its preprocessor before saving it."
            raise ValueError(message)
        subwords = self.preprocessor.tokenizer.subwords
        return Checkpoint(self.to_config(), subwords, read_weights(self))

    def save_to_preset(self, preset_dir: str | Path, max_shard_size: float | None = 10) -> None:
        """Write the model in a format that `from_preset` reads, in float32.

        That is KerasHub's format, and files that are there are replaced. A model of a family of
        which KerasHub has no masked LM is written as by `export_to_transformers`, whose format has
        no words for how its preprocessor masks.

        Without a preprocessor there is no tokenizer to write: such a preset can be read with
        `preprocessor=None` alone, and not be served.

        Args:
            preset_dir: where the files are to be.
            max_shard_size: GB; weights that are larger are refused, for they are one file here.

        Raises:
            FileExistsError: there is a checkpoint of another format, or anything where it is not
                KerasHub's that is written.
            ValueError: the format cannot say what the model is.
        """
        directory, preprocessor = Path(preset_dir), self.preprocessor
        variables = read_weights(self)
        require_one_file(variables, max_shard_size)
        if not is_keras_family(self.backbone.family):
            write_transformers_dir(self.to_checkpoint(), directory)
        elif preprocessor is None:
            write_keras_model(self.to_config(), variables, directory, self.backbone.spelling)
        else:
            checkpoint = Checkpoint(self.to_config(), preprocessor.tokenizer.subwords, variables)
            write_keras_preset(checkpoint, directory, preprocessor.to_settings())

    def export_to_transformers(self, path: str | Path) -> None:
        """Write the model in the format of its family's class in Transformers.

        Raises:
            FileExistsError: there is something of that name.
            ValueError: there is no preprocessor, and so no tokenizer, or the model is quantized, or
                it is none that its family's class could be.
        """
        write_transformers_dir(self.to_checkpoint(), Path(path))
