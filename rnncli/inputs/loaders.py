"""The loader of a name. Its module is imported only then: each brings packages of its own, and torch."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from rnncli.inputs.catalogue import LOADER_SETTINGS
from rnncli.inputs.loader import LOADERS, Loader


def loader_named(name: str) -> type[Loader[Any]]:
    """The loader's class.

    Raises:
        UserError: no such loader.
    """
    if name in LOADER_SETTINGS:
        package = LOADER_SETTINGS[name].__module__.rpartition(".")[0]
        import_module(f"{package}.loader")
    return LOADERS[name]
