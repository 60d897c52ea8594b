"""A directory becomes a model that answers.

Lives here: loading through Keras or as converted for OpenVINO, conversions and the seal on them,
and what is told meanwhile. Knows checkpoints, engines and proofs. Does not know presets' names.
"""
