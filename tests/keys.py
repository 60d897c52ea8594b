"""What clients of tests show to be let in."""

ADMIN_KEY = "admin"
"""It may load and unload."""
