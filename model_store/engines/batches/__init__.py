"""What goes into an engine and comes out of it.

Lives here: batches of texts that share rows, the masks that are asked for, and the shapes that
arrays may have. Knows encodings. Does not know runtimes.
"""
