"""PyTorch's files, read without PyTorch: tensors and nothing else.

Lives here: zip archives, the pickles of before 1.6, and the leash that both are read on. Knows
arrays by name. Does not know whose they are, and runs nothing that it reads.
"""
