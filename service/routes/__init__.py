"""One file an interface, its wire models beside it.

Lives here: what reads a body, calls the pipeline and writes the answer. Knows the pipeline and how
presets stand. Does not know queues, caches or processes, and holds no logic.
"""
