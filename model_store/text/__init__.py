"""Between texts and what a model reads and answers.

Lives here: encodings, the codec that makes them, and filled texts. Knows the tokenizer. Does not
know networks, engines or files.
"""
