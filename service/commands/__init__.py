"""The commands of `fillmask` that have subcommands."""
