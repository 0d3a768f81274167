"""`rnncli init`."""


def init() -> None:
    """Being written."""
