"""The masked-LM task: a backbone and a head as one Keras model."""

from typing import Any

import keras

from model_store.bert.backbone import BertBackbone
from model_store.bert.config import BertConfig
from model_store.bert.masked_lm_head import MaskedLMHead
from model_store.checkpoints import Checkpoint


@keras.saving.register_keras_serializable(package="fillmask")
class BertMaskedLM(keras.Model):  # type: ignore[misc]  # keras ships no types
    """BERT for masked-language modelling as a functional Keras model.

    Inputs are the backbone's and `mask_positions`, `[rows, masks]` int32. Output: logits,
    `[rows, masks, vocabulary_size]` floats.
    """

    def __init__(
        self,
        backbone: BertBackbone,
        *,
        head_hidden_act: str = "gelu",
        head_layer_norm_epsilon: float = 1e-12,
        tie_word_embeddings: bool = True,
        **kwargs: Any,
    ) -> None:
        """Put a head with random weights on a backbone."""
        head = MaskedLMHead(
            vocabulary_size=backbone.vocabulary_size,
            hidden_act=head_hidden_act,
            layer_norm_epsilon=head_layer_norm_epsilon,
            token_embedding=backbone.token_embedding if tie_word_embeddings else None,
            name="masked_lm_head",
        )
        mask_positions = keras.Input((None,), dtype="int32", name="mask_positions")
        hidden = backbone(backbone.input)["sequence_output"]
        kwargs.setdefault("name", "bert_masked_lm")
        super().__init__(
            inputs={**backbone.input, "mask_positions": mask_positions},
            outputs=head(hidden, mask_positions),
            **kwargs,
        )
        self.backbone = backbone
        self.masked_lm_head = head

    @classmethod
    def from_bert_config(cls, config: BertConfig) -> "BertMaskedLM":
        """Build the model that a checkpoint describes, with random weights."""
        return cls(
            BertBackbone.from_bert_config(config),
            head_hidden_act=config.head_hidden_act,
            head_layer_norm_epsilon=config.head_layer_norm_epsilon,
            tie_word_embeddings=config.tie_word_embeddings,
        )

    @classmethod
    def from_checkpoint(cls, checkpoint: Checkpoint) -> "BertMaskedLM":
        """Build the model of a complete checkpoint, every weight from its files."""
        model = cls.from_bert_config(checkpoint.config)
        for weight in model.weights:
            weight.assign(checkpoint.variables[weight.path])
        return model
