"""`fillmask bench`: how fast this machine is, in half a minute.

Lives here: the measurement of a model alone and of a server on loopback. Knows requests, a loaded
model, and the command that serves. Does not know queues. What compares engines and peers is in the
repository's `bench/`, and not in the package.
"""
