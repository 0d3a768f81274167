"""The cells, one file a family. A file put here is found without another edit."""

from importlib import import_module
from pkgutil import iter_modules


def load_families() -> None:
    """Import every family, so that its cells are registered."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
