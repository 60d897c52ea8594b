"""model_store/checkpoints/torch."""
