"""service/errors."""
