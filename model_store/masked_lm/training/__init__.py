"""`fillmask train`: text files in, a trained preset out.

Lives here: streams of masked rows, the loop, its saved states and its log. Knows the task. Does not
know the command that calls it.
"""
