"""From text files to masked batches.

Lives here: files packed in any way, documents, rows, the choice of masks, and the endless stream of
batches. Knows the tokenizer and the options. Does not know a model.
"""
