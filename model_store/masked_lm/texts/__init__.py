"""Texts on their way into a Keras model.

Lives here: reading whatever Keras users keep texts in, packing and masking them. Knows the
tokenizer. Does not know networks.
"""
