"""The encoder on plain Keras 3 layers: embeddings, encoder layers and the head; and tokenizers.

Lives here: the layers and the shapes of their weights, and in a folder what cuts texts. Knows Keras
and the tokenizers library. Does not know files, presets or what a model is asked for.
"""
