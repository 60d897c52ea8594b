"""What can go wrong in the service, and how it is told.

Lives here: the exceptions, which know no HTTP, and the one table that gives each its status and
code. Knows the library's exceptions. Does not know what raises or answers them.
"""
