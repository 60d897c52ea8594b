"""Several masks of a text that are filled so that they fit each other.

Lives here: the beam that fills one mask after another, runs of masks and the lengths that they may
have, and the request that puts both together. Knows encodings and the codec. Does not know the
queue, HTTP or engines.
"""
