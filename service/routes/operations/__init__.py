"""What runs a server asks: which models there are and how they stand, and whether it lives.

Lives here: presets, probes, what the server is, and the page that documents it. Knows how
presets stand, and what counts. Does not know what is asked of a mask.
"""
