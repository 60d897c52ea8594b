"""`fillmask run`: the rows of a file in, a line of answer out for each.

Lives here: reading rows, the output and how it is gone on with, and the run between them, in this
process or on a Ray cluster. Knows requests as lines have them, and a loaded model. Does not know
queues or HTTP.
"""
