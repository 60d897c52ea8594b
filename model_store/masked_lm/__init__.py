"""The task: masked-language modelling as Keras users meet it.

Lives here: `MaskedLM` and its kin with `from_preset`, `fit` and `save_to_preset`, the preprocessor,
a file a family, and training. Knows the network, checkpoints and fetching. Does not know serving.
"""
