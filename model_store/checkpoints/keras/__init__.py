"""KerasHub's presets, read and written.

Lives here: their configs, the names of their weights, their preprocessors. Knows checkpoints. Does
not know KerasHub itself.
"""
