"""Several HTTP processes in front of one that runs the models, and what they say to each other.

    HTTP worker: pipeline -> remote -> client == frames over a Unix socket ==> server -> model host

The socket lies in a directory that only this user can enter. What crosses it is typed and bounded,
and nothing that arrives is ever run.

Lives here: frames, what answers one, both ends of the socket, and starting the engine process anew.
Knows the model host. Does not know HTTP.
"""
