"""`fillmask predict` and `fillmask score`: a question in, an answer out.

Lives here: the two commands, how they load what they ask, and how an answer is shown. Knows
requests as routes have them, and a loaded model. Does not know queues or HTTP.
"""
