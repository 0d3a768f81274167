"""How the symbols of equations are written, in Unicode and in LaTeX."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

SUM, TIMES, MATRIX, ATOM = range(4)
"""How tightly a text holds together: a + b, a ⊙ b, U h, f(a)."""

Text = tuple[str, int]
"""What is written, and how tightly it holds together."""


class Style(ABC):
    """How symbols are written.

    Attributes:
        odot, dot: between the factors of a product, and after the number in front of it.
        functions: by operation.
    """

    odot: ClassVar[str]
    dot: ClassVar[str]
    functions: ClassVar[Mapping[str, str]]

    @abstractmethod
    def now(self, name: str) -> str:
        """A value of this step."""

    @abstractmethod
    def before(self, name: str) -> str:
        """A value of the step before."""

    @abstractmethod
    def parameter(self, letter: str, block: str) -> str:
        """W_i, U_i, b_i or p_i."""

    @abstractmethod
    def fraction(self, upper: Text, lower: Text) -> Text:
        """A division."""

    @abstractmethod
    def brackets(self, inner: str) -> str:
        """Round brackets."""


class Unicode(Style):
    """For a terminal."""

    odot, dot = " ⊙ ", " · "
    functions: ClassVar = {"sigmoid": "σ", "tanh": "tanh", "relu": "relu", "normalize": "LN"}

    def now(self, name: str) -> str:
        return f"{_with_tilde(name)}_t"

    def before(self, name: str) -> str:
        return f"{_with_tilde(name)}_{{t-1}}"

    def parameter(self, letter: str, block: str) -> str:
        return f"{letter}_{block}"

    def fraction(self, upper: Text, lower: Text) -> Text:
        above, below = (text if level >= MATRIX else self.brackets(text) for text, level in (upper, lower))
        return f"{above} / {below}", TIMES

    def brackets(self, inner: str) -> str:
        return f"({inner})"


class Latex(Style):
    """For a paper."""

    odot, dot = r" \odot ", r" \cdot "
    functions: ClassVar = {
        "sigmoid": r"\sigma",
        "tanh": r"\tanh",
        "relu": r"\operatorname{relu}",
        "normalize": r"\operatorname{LN}",
    }

    def now(self, name: str) -> str:
        return f"{self._symbol(name)}_t"

    def before(self, name: str) -> str:
        return f"{self._symbol(name)}_{{t-1}}"

    def parameter(self, letter: str, block: str) -> str:
        return f"{letter}_{block}" if len(block) == 1 else f"{letter}_{{{block.replace('_', ',')}}}"

    def fraction(self, upper: Text, lower: Text) -> Text:
        return rf"\frac{{{upper[0]}}}{{{lower[0]}}}", ATOM

    def brackets(self, inner: str) -> str:
        return rf"\left({inner}\right)" if r"\frac" in inner else f"({inner})"

    def _symbol(self, name: str) -> str:
        plain = name.removesuffix("~")
        symbol = plain if len(plain) == 1 else r"\mathit{" + plain.replace("_", r"\_") + "}"
        return rf"\tilde{{{symbol}}}" if name != plain else symbol


def _with_tilde(name: str) -> str:
    """`h~` as h with a combining tilde."""
    return name[:-1] + "\N{COMBINING TILDE}" if name.endswith("~") else name
