"""model_store/masked_lm/texts."""
