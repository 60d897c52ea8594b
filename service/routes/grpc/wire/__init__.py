"""The messages of the protocol, as Triton and KServe publish it.

Lives here: the two `.proto` files, and what `make proto` makes of them. Knows protobuf. Does not
know the service.
"""
