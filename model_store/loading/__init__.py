"""A directory becomes a model that answers.

Lives here: loading through Keras or as converted for OpenVINO, conversions and the seal on them,
what is told meanwhile, and the proof of
what was loaded. Knows checkpoints and engines. Does not know presets' names.
"""
