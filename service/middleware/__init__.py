"""What every request passes, from the connection inwards.

Lives here: limits on connections and bodies, addresses, keys, request ids, logs of requests, and
how every error is answered. Knows ASGI and the table of errors. Does not know what a request asks
for.
"""
