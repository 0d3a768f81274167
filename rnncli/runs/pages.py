"""Pages of HTML from the templates of the package; what users have written is escaped."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from rnncli.errors import MissingExtra

if TYPE_CHECKING:
    from jinja2 import Environment


def environment(extra: str, purpose: str) -> Environment:
    """What renders templates, which are named by their place in the package.

    Args:
        extra, purpose: what to install where it is missing, and what for.

    Raises:
        MissingExtra: jinja2 is not installed.
    """
    try:
        from jinja2 import Environment, FunctionLoader, StrictUndefined
    except ImportError:
        raise MissingExtra("jinja2", extra, purpose) from None
    return Environment(
        autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True, loader=FunctionLoader(_template)
    )


def _template(name: str) -> str:
    return files("rnncli").joinpath(name).read_text(encoding="utf-8")
