"""Many requests as lines: one a line, one answer a line, in order.

Lives here: the cutting into lines, what a line asks and how its error is written, and the stream
that `POST /fill-mask` answers with. Knows the pipeline. Does not know files.
"""
