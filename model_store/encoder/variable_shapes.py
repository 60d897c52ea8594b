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
    width = config.embeddings_width
    if config.decoder_bias:
        yield "masked_lm_head/bias", (config.vocabulary_size,)
    yield from _list_dense(
        "masked_lm_head/transform", config.hidden_dim, width, bias=config.transform_bias
    )
    yield from _list_layer_norm("masked_lm_head/layer_norm", width, config)
    if not config.tie_word_embeddings:
        yield "masked_lm_head/decoder", (config.vocabulary_size, width)


def list_pooler_shapes(config: EncoderConfig) -> Iterator[tuple[str, Shape]]:
    """Yield path and shape of every variable of the pooler, which a checkpoint may lack."""
    yield from _list_dense("pooled_dense", config.hidden_dim, config.hidden_dim)


def list_backbone_shapes(config: EncoderConfig) -> Iterator[tuple[str, Shape]]:
    """Yield path and shape of every variable of the backbone."""
    yield from _list_embedding_shapes(config)
    for index in range(config.num_layers):
        yield from _list_layer_shapes(config, index)
    if config.final_norm:
        yield from _list_layer_norm("final_layer_norm", config.hidden_dim, config)


def _list_embedding_shapes(config: EncoderConfig) -> Iterator[tuple[str, Shape]]:
    width = config.embeddings_width
    yield "token_embedding/embeddings", (config.vocabulary_size, width)
    if config.num_segments:
        yield "segment_embedding/embeddings", (config.num_segments, width)
    if config.learned_positions:
        yield "position_embedding/embeddings", (config.position_rows, width)
    if config.embeddings_norm:
        yield from _list_layer_norm("embeddings_layer_norm", width, config)
    if config.embedding_dim is not None:
        yield from _list_dense("embedding_projection", width, config.hidden_dim)


def _list_layer_shapes(config: EncoderConfig, index: int) -> Iterator[tuple[str, Shape]]:
    hidden_dim, intermediate_dim = config.hidden_dim, config.intermediate_dim
    layer = f"transformer_layer_{index}"
    for part in ("query", "key", "value", "attention_output"):
        yield from _list_dense(
            f"{layer}/{part}", hidden_dim, hidden_dim, bias=config.attention_bias
        )
    if has_attention_norm(config, index):
        yield from _list_layer_norm(f"{layer}/attention_layer_norm", hidden_dim, config)
    wide = intermediate_dim * (2 if config.is_gated else 1)
    bias = config.feedforward_bias
    yield from _list_dense(f"{layer}/intermediate", hidden_dim, wide, bias=bias)
    yield from _list_dense(f"{layer}/feedforward_output", intermediate_dim, hidden_dim, bias=bias)
    yield from _list_layer_norm(f"{layer}/feedforward_layer_norm", hidden_dim, config)


def has_attention_norm(config: EncoderConfig, layer: int) -> bool:
    """Say whether a layer normalises around its attention."""
    return config.first_attention_norm or layer > 0


def _list_dense(
    path: str, wide_in: int, wide_out: int, *, bias: bool = True
) -> Iterator[tuple[str, Shape]]:
    yield f"{path}/kernel", (wide_in, wide_out)
    if bias:
        yield f"{path}/bias", (wide_out,)


def _list_layer_norm(path: str, wide: int, config: EncoderConfig) -> Iterator[tuple[str, Shape]]:
    yield f"{path}/gamma", (wide,)
    if config.norm_bias:
        yield f"{path}/beta", (wide,)
