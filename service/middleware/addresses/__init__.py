"""What a request is addressed to, and where it comes from.

Lives here: the prefix that a proxy puts before paths, the route of a path, the caller's address.
Knows ASGI's scopes. Does not know who may do what, and what is answered.
"""
