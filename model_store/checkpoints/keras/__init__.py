"""model_store/checkpoints/keras."""
