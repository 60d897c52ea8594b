"""Transformers' format, read and written: one file for each part of a directory.

Lives here: configs, tensors in one file or many, and tokenizers as people really have them. Knows
checkpoints. Does not know Transformers itself.
"""

from model_store.checkpoints.transformers.config import is_transformers_config
from model_store.checkpoints.transformers.directory import read_transformers_dir
from model_store.checkpoints.transformers.tokenizers import read_tokenizer
from model_store.checkpoints.transformers.writer import write_tokenizer, write_transformers_dir

__all__ = [
    "is_transformers_config",
    "read_tokenizer",
    "read_transformers_dir",
    "write_tokenizer",
    "write_transformers_dir",
]
