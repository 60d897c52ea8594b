"""What the service does under overload, with callers who leave, and when it is ended."""
