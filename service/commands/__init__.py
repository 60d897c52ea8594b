"""The `fillmask` command.

Lives here: its subcommands, what a start looks at, and the sentences it ends with. Knows everything
below. Nothing below knows it.
"""
