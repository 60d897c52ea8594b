"""The tensors of Transformers' `BertForMaskedLM` and the variables that they fill.

Transformers took its names from Google's, with dots for slashes.
"""

from collections.abc import Iterator

from model_store.encoder.config import EncoderConfig

_EMBEDDINGS = {
    "word_embeddings": "token_embedding",
    "position_embeddings": "position_embedding",
    "token_type_embeddings": "segment_embedding",
}
_LAYER = {
    "attention.self.query": "query",
    "attention.self.key": "key",
    "attention.self.value": "value",
    "attention.output.dense": "attention_output",
    "attention.output.LayerNorm": "attention_layer_norm",
    "intermediate.dense": "intermediate",
    "output.dense": "feedforward_output",
    "output.LayerNorm": "feedforward_layer_norm",
}
HEAD_BIAS = "cls.predictions.bias"
DECODER = "cls.predictions.decoder.weight"
DECODER_BIAS = "cls.predictions.decoder.bias"
POOLER = "pooled_dense"
WORD_EMBEDDINGS = "bert.embeddings.word_embeddings.weight"


def list_tensors(config: EncoderConfig) -> Iterator[tuple[str, str]]:
    """Yield tensor name and variable path; a tensor is the transpose of a `kernel`."""
    for source, target in _EMBEDDINGS.items():
        yield f"bert.embeddings.{source}.weight", f"{target}/embeddings"
    yield from _list_part("bert.embeddings.LayerNorm", "embeddings_layer_norm")
    for index in range(config.num_layers):
        for source, target in _LAYER.items():
            yield from _list_part(
                f"bert.encoder.layer.{index}.{source}", f"transformer_layer_{index}/{target}"
            )
    # A pooler may be there or not: no masked LM needs one.
    yield from _list_part("bert.pooler.dense", POOLER)
    yield from _list_part("cls.predictions.transform.dense", "masked_lm_head/transform")
    yield from _list_part("cls.predictions.transform.LayerNorm", "masked_lm_head/layer_norm")
    yield HEAD_BIAS, "masked_lm_head/bias"
    if not config.tie_word_embeddings:
        yield DECODER, "masked_lm_head/decoder"


def _list_part(source: str, target: str) -> Iterator[tuple[str, str]]:
    """Yield the two tensors of a dense layer or of a layer normalisation."""
    is_layer_norm = source.endswith("LayerNorm")
    yield f"{source}.weight", f"{target}/{'gamma' if is_layer_norm else 'kernel'}"
    yield f"{source}.bias", f"{target}/{'beta' if is_layer_norm else 'bias'}"
