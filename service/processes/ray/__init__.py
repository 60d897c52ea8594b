r"""The service on a Ray cluster: HTTP ingress, engine replicas and a board, each on any machine.

    ingress replica: pipeline -> remote -> cluster client == frames, by Serve ==> engine replica
             \\== what was seen ==> board <== what was run and loaded ==//

Ray carries the frames that HTTP workers and the engine process exchange, and both ends answer them
with the same code.

Lives here: the three deployments, what they are composed of, and what calls them. Knows Ray, which
nothing else here does. Does not know routes: the app is handed to it.
"""
