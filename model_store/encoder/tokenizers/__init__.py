"""Texts become the tokens of a vocabulary here, and tokens become text again.

Lives here: the tokenizer of a model, how each kind of vocabulary writes where a piece stands in a
word, and a file for each kind that is built from its entries. Knows the tokenizers library. Does
not know files, networks or requests.
"""
