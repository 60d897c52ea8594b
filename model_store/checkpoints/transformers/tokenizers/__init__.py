"""The tokenizer of a directory in the format of Transformers.

Lives here: the classes of Transformers that are read and their rules, what the files beside a
vocabulary say, and the vocabularies in their formats. Knows what tokenizers are built of. Does not
know weights.
"""

from model_store.checkpoints.transformers.tokenizers.tokenizer import read_tokenizer

__all__ = ["read_tokenizer"]
