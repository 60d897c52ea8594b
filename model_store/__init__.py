"""A library: a preset's name goes in, a ready masked LM comes out.

Lives here: presets and where they lie, checkpoints, networks, engines and proofs, each in its room.
Knows files and runtimes. Does not know HTTP, asyncio, the environment or Prometheus.
"""
