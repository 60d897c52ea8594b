"""What runs a server asks: which models there are and how they stand, and whether it lives.

Lives here: presets, probes and what the server is. Knows how presets stand, and what counts. Does
not know what is asked of a mask.
"""
