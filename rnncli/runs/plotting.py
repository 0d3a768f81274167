"""How figures look, and what stands in them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rnncli.errors import MissingExtra

INK, FAINT = "#1c1c22", "#85858f"
LONGEST_NAME = 34
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


@contextmanager
def style(extra: str, purpose: str) -> Iterator[None]:
    """Within, figures look alike, whatever the user's matplotlibrc says.

    Args:
        extra, purpose: what to install where it is missing, and what for.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    try:
        import matplotlib
    except ImportError:
        raise MissingExtra("matplotlib", extra, purpose) from None
    with matplotlib.rc_context(), warnings.catch_warnings():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        # Of scripts that matplotlib's own font lacks; whoever shows an SVG has others.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


def label(name: str, longest: int = LONGEST_NAME) -> str:
    """A name as it stands in a figure: on one line, its middle left out where it is long."""
    line = "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in " ".join(name.split()))
    tail = longest // 3
    return line if len(line) <= longest else f"{line[: longest - tail - 1]}…{line[-tail:]}"
