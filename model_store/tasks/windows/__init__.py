"""Texts longer than a model takes: each mask with the part of the text around it.

Lives here: how windows are cut, texts that are seen through them, and the request to fill such
texts. Knows encodings and the codec. Does not know the queue, HTTP or engines.
"""
