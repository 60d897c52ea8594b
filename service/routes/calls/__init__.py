"""How an endpoint is called.

Lives here: what it gets from the application, the short way to it, the time that a caller gives
it, and the files of pages. Knows the pipeline and how presets stand. Does not know any interface.
"""
