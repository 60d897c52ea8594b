"""The variables of a masked LM and their shapes, known before anything is built.

A config file is not believed: it is held against the weights first, so that no model is built
larger than what its files can fill.
"""

from collections.abc import Iterator

from model_store.encoder.config import EncoderConfig

Shape = tuple[int, ...]

POOLER_KERNEL = "pooled_dense/kernel"
"""The variable that tells a backbone with a pooler from one without."""


def list_head_shapes(config: EncoderConfig) -> Iterator[tuple[str, Shape]]:
    """Yield path and shape of every variable of the head."""
    hidden_dim = config.hidden_dim
    yield "masked_lm_head/bias", (config.vocabulary_size,)
    yield from _list_dense("masked_lm_head/transform", hidden_dim, hidden_dim)
    yield from _list_layer_norm("masked_lm_head/layer_norm", hidden_dim)
    if not config.tie_word_embeddings:
        yield "masked_lm_head/decoder", (config.vocabulary_size, hidden_dim)


def list_pooler_shapes(config: EncoderConfig) -> Iterator[tuple[str, Shape]]:
    """Yield path and shape of every variable of the pooler, which a checkpoint may lack."""
    yield from _list_dense("pooled_dense", config.hidden_dim, config.hidden_dim)


def list_backbone_shapes(config: EncoderConfig) -> Iterator[tuple[str, Shape]]:
    """Yield path and shape of every variable of the backbone."""
    hidden_dim, intermediate_dim = config.hidden_dim, config.intermediate_dim
    yield "token_embedding/embeddings", (config.vocabulary_size, hidden_dim)
    yield "segment_embedding/embeddings", (config.num_segments, hidden_dim)
    yield "position_embedding/embeddings", (config.max_sequence_length, hidden_dim)
    yield from _list_layer_norm("embeddings_layer_norm", hidden_dim)
    for index in range(config.num_layers):
        layer = f"transformer_layer_{index}"
        for part in ("query", "key", "value", "attention_output"):
            yield from _list_dense(f"{layer}/{part}", hidden_dim, hidden_dim)
        yield from _list_layer_norm(f"{layer}/attention_layer_norm", hidden_dim)
        yield from _list_dense(f"{layer}/intermediate", hidden_dim, intermediate_dim)
        yield from _list_dense(f"{layer}/feedforward_output", intermediate_dim, hidden_dim)
        yield from _list_layer_norm(f"{layer}/feedforward_layer_norm", hidden_dim)


def _list_dense(path: str, wide_in: int, wide_out: int) -> Iterator[tuple[str, Shape]]:
    yield f"{path}/kernel", (wide_in, wide_out)
    yield f"{path}/bias", (wide_out,)


def _list_layer_norm(path: str, wide: int) -> Iterator[tuple[str, Shape]]:
    yield f"{path}/gamma", (wide,)
    yield f"{path}/beta", (wide,)
