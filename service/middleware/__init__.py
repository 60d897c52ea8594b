"""What every request passes on its way in and out, one ASGI middleware a file."""
