"""A library: a preset name goes in, a ready masked LM comes out."""
