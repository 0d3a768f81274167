"""Attention as a picture."""

from __future__ import annotations

import io
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import numpy as np

from rnncli.runs.attention import Look, Looks
from rnncli.runs.plotting import FAINT, label, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST = 12
"""Inputs in a picture."""

_DPI = 120
_CELL, _WIDEST, _HIGHEST = 0.21, 12.0, 12.0
_LETTER, _LINE, _APART = 0.075, 0.17, 0.6
_LONGEST, _TITLE = 24, 110
_PANEL, _IN_A_ROW = 1.2, 10
_COVER = 0.85
"""Opacity of what covers a position without weight. All lengths are in inches."""


def check() -> None:
    """Raises MissingExtra where matplotlib is not installed."""
    with _style():
        pass


def content(looks: Looks) -> bytes:
    """A heat map an input, one below the other; of a picture, the picture for each token.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    with _style():
        from matplotlib.figure import Figure

        heights = [_height(look) for look in looks.found]
        figure = Figure(figsize=(_WIDEST + 3, sum(heights)), facecolor="#ffffff")
        top = sum(heights)
        for look, height in zip(looks.found, heights, strict=True):
            _title(figure, look, top)
            (_map if look.picture is None else _pictures)(figure, look, top - 2 * _LINE)
            top -= height
        made = io.BytesIO()
        figure.savefig(made, format="png", dpi=_DPI, bbox_inches="tight", pad_inches=0.15)
    return made.getvalue()


def _style() -> AbstractContextManager[None]:
    return style("plot", "attention as PNG")


def _height(look: Look) -> float:
    if look.picture is not None:
        return 4 * _LINE + -(-len(look.written) // _IN_A_ROW) * (_panel(look) + 2 * _LINE)
    return 4 * _LINE + _head(look) + _row(look) * len(look.written)


def _panel(look: Look) -> float:
    """Height of the picture of one token."""
    assert look.picture is not None
    _, height, width = look.picture.shape
    return float(min(_PANEL * height / width, 3 * _PANEL))


def _row(look: Look) -> float:
    return min(_CELL, _HIGHEST / len(look.written))


def _head(look: Look) -> float:
    """Height of the names of what was read."""
    return _LINE if _upright(look) else _LETTER * min(max(map(len, look.read)), _LONGEST) + _LINE


def _upright(look: Look) -> bool:
    return max(map(len, look.read)) <= 2


def _title(figure: Figure, look: Look, top: float) -> None:
    height = figure.get_figheight()
    own = ", ".join(f"{key}: {value}" for key, value in look.own.items() if value not in ("", None))
    x = 0.0
    figure.text(x, top / height, label(look.text or "(nothing)", _TITLE), va="top", fontsize=9.5, fontweight="bold")
    told = f"{label(own, _TITLE)}   largest weight {look.largest:.3f}"
    figure.text(x, (top - _LINE) / height, told, va="top", fontsize=7.5, color=FAINT)


def _map(figure: Figure, look: Look, top: float) -> None:
    rows, columns = look.weights.shape
    width, height = min(_CELL, _WIDEST / columns) * columns, _row(look) * rows
    left = _LETTER * min(max(map(len, look.written)), _LONGEST) + 0.1
    bottom = top - _head(look) - height
    total = figure.get_figwidth(), figure.get_figheight()
    axes = figure.add_axes((left / total[0], bottom / total[1], width / total[0], height / total[1]))
    axes.imshow(look.weights, cmap="Blues", vmin=0, vmax=look.largest, aspect="auto", interpolation="nearest")
    for axis, names, size in ((axes.xaxis, look.read, width / columns), (axes.yaxis, look.written, height / rows)):
        room = _APART if look.on_a_scale and names is look.read else _LINE
        shown = range(0, len(names), -int(-room // size))
        axis.set_ticks(list(shown), [label(names[place], _LONGEST) for place in shown])
    axes.xaxis.tick_top()
    axes.tick_params(length=0, labelsize=7.5)
    axes.tick_params(axis="x", labelrotation=0 if _upright(look) else 90)
    for side in axes.spines.values():
        side.set_visible(True)


def _pictures(figure: Figure, look: Look, top: float) -> None:
    assert look.picture is not None
    rows, columns = look.grid
    total = figure.get_figwidth(), figure.get_figheight()
    high = _panel(look)
    for number, (token, shades) in enumerate(zip(look.written, look.shades, strict=True)):
        line, place = divmod(number, _IN_A_ROW)
        left, bottom = place * (_PANEL + 0.12), top - (line + 1) * (high + 2 * _LINE) + _LINE
        axes = figure.add_axes((left / total[0], bottom / total[1], _PANEL / total[0], high / total[1]))
        cover = np.full((rows, columns, 4), 0.5)
        cover[..., 3] = _COVER * (1 - shades.reshape(rows, columns))
        for image in (look.picture.transpose(1, 2, 0), cover):
            axes.imshow(image, extent=(0, columns, rows, 0), aspect="auto", interpolation="nearest")
        axes.set_axis_off()
        axes.set_title(label(token, _LONGEST), fontsize=8, pad=2, y=-0.02, va="top")
