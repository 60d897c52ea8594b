"""A Keras model as checkpoints have it.

Lives here: its weights by path, and writing it in the formats of other libraries. Knows these
formats. Does not know texts.
"""
