"""Loaded models: lent, kept, made room for, and said how they stand.

Lives here: the cache and its entries, a model with its queue, fetching, which presets a caller
may name, states, loading and unloading by hand. Knows the library and the scheduler. Does not know
HTTP, metrics or processes.
"""
