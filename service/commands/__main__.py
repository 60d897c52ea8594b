"""Run the `fillmask` command: `python -m service.commands serve`."""

import sys


def main() -> None:
    """Run the command."""
    try:
        # Its import takes a second, in which people press Ctrl-C.
        from service.commands.cli import cli  # noqa: PLC0415

        cli(prog_name="fillmask")
    except KeyboardInterrupt:
        sys.exit("Aborted!")


if __name__ == "__main__":
    main()
