"""Whether JAX and PyTorch answer right on an accelerator, and how fast: `make gpu-check`."""
