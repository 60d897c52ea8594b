"""The encoder on plain Keras 3 layers: embeddings, encoder layers, the head, and the tokenizer.

Lives here: the layers and the shapes of their weights. Knows Keras and the tokenizers library. Does
not know files, presets or what a model is asked for.
"""
