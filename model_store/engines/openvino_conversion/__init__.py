"""A checkpoint becomes a graph that OpenVINO reads.

Lives here: the export through Keras, and what is said in fewer operations afterwards. Knows
checkpoints, the masked LM and OpenVINO. Does not know where the graph is kept.
"""

from model_store.engines.openvino_conversion.conversion import convert

__all__ = ["convert"]
