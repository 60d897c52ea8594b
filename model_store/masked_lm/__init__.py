"""The task: masked-language modelling as Keras users meet it.

Lives here: `BertMaskedLM` and its kin with `from_preset`, `fit` and `save_to_preset`, the
preprocessor, and training. Knows the network, checkpoints and fetching. Does not know serving.
"""
