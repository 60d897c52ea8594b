"""The routes, one file an interface. They translate; the pipeline answers."""
