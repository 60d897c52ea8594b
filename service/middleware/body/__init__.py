"""The body of a request, on its way in.

Lives here: how much of one is read, and until when, and the unpacking of those that are packed.
Knows ASGI's messages. Does not know what a body says.
"""
