"""How the figures of a report look, and how they become SVG: the same figure gives the same bytes."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from rnncli.ablation.numbers import spans_decades
from rnncli.errors import MissingExtra

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, FAINT, BAND = "#1c1c22", "#85858f", "#7a9cc6"
OURS, PUBLISHED = "#2f6fb3", "#d1761a"
WIDTH = 7.2
LONGEST_NAME = 34
_PAPER = "paper"
_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "rnncli",
    "text.parse_math": False,  # a dollar in a name is a dollar
    "axes.formatter.use_mathtext": False,
    "axes.unicode_minus": True,
    "font.family": "sans-serif",
    "font.size": 8.5,
    "text.color": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.edgecolor": FAINT,
    "axes.facecolor": "none",
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": FAINT,
    "grid.alpha": 0.3,
    "grid.linewidth": 0.5,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "legend.frameon": False,
}


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


@contextmanager
def style() -> Iterator[None]:
    """Within, figures look as those of a report, whatever the user's matplotlibrc says.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    try:
        import matplotlib
    except ImportError:
        raise MissingExtra("matplotlib", "ablate", "an ablation's report") from None
    with matplotlib.rc_context(), warnings.catch_warnings():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        # Of scripts that matplotlib's own font lacks; whoever shows the SVG has others.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


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


def label(name: str, longest: int = LONGEST_NAME) -> str:
    """A name as it stands in a figure: on one line, its middle left out where it is long."""
    line = "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in " ".join(name.split()))
    tail = longest // 3
    return line if len(line) <= longest else f"{line[: longest - tail - 1]}…{line[-tail:]}"


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
