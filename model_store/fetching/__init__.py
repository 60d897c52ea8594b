"""From a name or a handle to a directory of files.

Lives here: the catalogue, handles, hubs, downloads that go on where they stopped, and the record
of where files came from. Knows checkpoint formats as far as it must join two. Does not know
networks, and builds no model.
"""
