"""The queue in front of an engine, and what it decides with.

Lives here: the micro-batcher, the line that waits for it, limits and records, how fast an engine is
lately, deadlines.
Knows items and how many tokens each has. Does not know BERT, models, HTTP or metrics.
"""
