"""BERT on plain Keras 3 layers: the backbone, the head and the tokenizer."""
