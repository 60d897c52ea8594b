"""What is measured of a loaded model before it is served.

Lives here: the proof of its head, the sample of texts, likeness to float32, speed, and the
precision that follows. Knows a model that answers. Does not know where it came from.
"""
