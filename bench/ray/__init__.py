"""What the application on Ray does when nodes die, presets are many, and replicas are more.

Lives here: a cluster on one machine, a store whose engines sleep, callers who account for every
request, and one module a measurement. `python -m bench.ray WHAT` runs one.
"""
