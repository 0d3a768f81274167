"""`rnncli describe`."""

from rnncli.cli.describe.command import describe

__all__ = ["describe"]
