"""HTTP and scheduling: a request comes in, its answer goes out.

Lives here: the command, the app, the straight line of a request and the rooms beside it. Knows the
library `model_store`. Does not know Keras or any runtime.
"""
