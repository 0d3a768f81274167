"""Attention as a page of HTML that needs nothing beside it."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

from rnncli.inputs.captions.album import as_png
from rnncli.runs.attention import END_MARK, SPACE, Look, Looks
from rnncli.runs.pages import environment

if TYPE_CHECKING:
    from jinja2 import Environment

MOST = 50
"""Inputs on a page."""

_CROWDED, _GROUP = 40, 10
"""Positions on a scale from which on only the first of each group has its name above it."""


def check() -> None:
    """Raises MissingExtra where jinja2 is not installed."""
    _environment()


def content(looks: Looks) -> bytes:
    """A table an input: what was read in the columns, what was written in the rows; of a picture, the picture for each
    token.

    Raises:
        MissingExtra: jinja2 is not installed.
    """
    text = (
        _environment()
        .get_template("runs/attention.html.j2")
        .render(
            run=looks.run.directory.path.name,
            shown=len(looks.found),
            inputs=looks.inputs,
            space=SPACE,
            end=END_MARK,
            looks=[_shown(look) for look in looks.found],
        )
    )
    return text.encode("utf-8", "replace")


def _environment() -> Environment:
    return environment("plot", "attention as HTML")


def _shown(look: Look) -> dict[str, Any]:
    crowded = look.on_a_scale and len(look.read) > _CROWDED
    picture = None if look.picture is None else b64encode(as_png(look.picture)).decode("ascii")
    return {
        "own": {key: value for key, value in look.own.items() if value not in ("", None)},
        "text": look.text,
        "largest": f"{look.largest:.3f}",
        "crowded": crowded,
        "tall": max(map(len, look.read)) > 2,
        "head": _grouped(look.read) if crowded else [(name, 1) for name in look.read],
        "rows": [
            (token, [(f"{shade:.3g}", f"{name} → {token}: {weight:.3f}") for name, shade, weight in cells])
            for token, cells in (
                (token, zip(look.read, shades, weights, strict=True))
                for token, shades, weights in zip(
                    look.written, look.shades.tolist(), look.weights.tolist(), strict=True
                )
            )
        ],
        "picture": picture,
        "columns": look.grid[1],
        "shape": "1 / 1" if look.picture is None else f"{look.picture.shape[2]} / {look.picture.shape[1]}",
    }


def _grouped(names: list[str]) -> list[tuple[str, int]]:
    return [(names[first], len(names[first : first + _GROUP])) for first in range(0, len(names), _GROUP)]
