"""What is wrong on this machine, before and after somebody asks.

Lives here: what a start refuses, what `fillmask doctor` finds out, and the advice that follows from
it. Knows settings, the store and what is installed. Does not know models, queues or HTTP.
"""
