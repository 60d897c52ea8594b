"""model_store/engines/batches."""
