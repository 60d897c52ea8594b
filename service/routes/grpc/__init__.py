"""The Open Inference Protocol over gRPC, for clients of Triton and KServe.

Lives here: the server of gRPC, what every call of it passes, and its messages. Knows the bodies and
answers of the same protocol over REST, keys, and how errors are told. Does not know queues, caches
or processes. Nobody imports it where no port is set.
"""
