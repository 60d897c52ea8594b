"""Training a masked LM on text files; a library that knows no command line.

    corpus -> examples -> batch_stream -> trainer -> a Transformers directory

Texts stream through in bounded memory. Everything that training depends on is in one saved state,
so that a run that was killed goes on as if nothing had happened.
"""
