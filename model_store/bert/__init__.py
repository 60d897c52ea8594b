"""BERT on plain Keras 3 layers: the backbone, the masked-LM task and the tokenizer."""
