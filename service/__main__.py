"""Run the `fillmask` command: `python -m service serve`."""

from service.cli import cli


def main() -> None:
    """Run the command."""
    cli(prog_name="fillmask")


if __name__ == "__main__":
    main()
