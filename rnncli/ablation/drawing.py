"""How the figures of a report look, and how they become SVG: the same figure gives the same bytes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from rnncli.ablation.numbers import spans_decades
from rnncli.runs.plotting import INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BAND = "#7a9cc6"
OURS, PUBLISHED = "#2f6fb3", "#d1761a"
WIDTH = 7.2
_PAPER = "paper"


@dataclass(frozen=True)
class Drawing:
    """A figure: the name of its file without the ending, what it shows, and its SVG."""

    name: str
    caption: str
    svg: str

    @property
    def inline(self) -> str:
        """Its SVG to stand in a page of HTML beside others: no names of its own twice, no paper, ink as the text's."""
        root = ElementTree.fromstring(self.svg)
        for parent in list(root.iter()):
            for child in list(parent):
                if child.get("id") == _PAPER or child.tag.endswith(("}metadata", "}style")):
                    parent.remove(child)
        for element in root.iter():
            element.tag = element.tag.rpartition("}")[2]
            attributes = {key.rpartition("}")[2]: value for key, value in element.attrib.items()}
            element.attrib = {key: self._own(key, value) for key, value in attributes.items()}
        for key in ("width", "height", "version"):
            root.attrib.pop(key, None)
        root.attrib |= {"role": "img", "aria-label": self.caption}
        return ElementTree.tostring(root, encoding="unicode")

    def _own(self, key: str, value: str) -> str:
        if key == "id":
            return f"{self.name}-{value}"
        if key == "href":
            return value.replace("#", f"#{self.name}-", 1)
        if key == "clip-path":
            return value.replace("url(#", f"url(#{self.name}-", 1)
        return value.replace(INK, "currentColor") if key in ("style", "fill", "stroke") else value


def panels(height: float, rows: int = 1, columns: int = 1, *, shared: bool = False) -> tuple[Figure, list[Axes]]:
    """A new figure and its axes, row by row; `shared` where all have the same scales."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height), layout="constrained", facecolor="#ffffff")
    figure.patch.set_gid(_PAPER)
    figure.subplots(rows, columns, sharex=shared, sharey=True)
    return figure, list(figure.axes)


def scale(axes: Axes, axis: str, values: Sequence[float]) -> None:
    """A logarithmic axis for values that span more than two decades, and few round numbers along it."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

    which = axes.xaxis if axis == "x" else axes.yaxis
    if spans_decades(values):
        (axes.set_xscale if axis == "x" else axes.set_yscale)("log", nonpositive="clip")
        which.set_major_locator(LogLocator(numticks=6))
        which.set_minor_locator(NullLocator())
    else:
        which.set_major_locator(MaxNLocator(5 if axis == "x" else 4, steps=[1, 2, 2.5, 5, 10]))
    which.set_major_formatter(FuncFormatter(_tick))


def svg(figure: Figure) -> str:
    """Nothing in it depends on the day or the machine's time."""
    content = io.StringIO()
    figure.savefig(content, format="svg", metadata={"Date": None, "Creator": None})
    return content.getvalue()


def _tick(value: float, _: object) -> str:
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            return f"{value / (1e3 if letter == 'k' else size):g}{letter}".replace("-", "−")
    return f"{value:.6g}".replace("-", "−")
