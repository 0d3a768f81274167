"""What every cell is: settings, states and equations. Parameters and engines follow from the equations."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Annotated, Any, ClassVar, Generic, TypeVar

from pydantic import Field

from rnncli.cells.graph import Graph, Named, V, trace
from rnncli.config.settings import Settings
from rnncli.registry import ChosenBy, Registry


class CellSettings(Settings):
    """Options that every cell has."""

    type: str
    """Name of the cell."""

    hidden_size: Annotated[int, Field(gt=0)]
    """Number of units in the cell's state and output."""


S = TypeVar("S", bound=CellSettings)


class Cell(ABC, Generic[S]):
    """One step of a recurrent network.

    Attributes:
        settings_type: the class of its settings.
        states: names of what is carried from step to step, each (batch, hidden); the first is the output.
    """

    settings_type: ClassVar[type[CellSettings]]
    states: ClassVar[tuple[str, ...]] = ("h",)

    def __init__(self, settings: S) -> None:
        self.settings = settings

    @abstractmethod
    def step(self, x: Named[V], state: tuple[V, ...], U: Named[Callable[[V], V]], p: Named[V]) -> tuple[V, ...]:
        """The equations: the new state from the old one.

        Args:
            x: `x.i` is block i of the input projection, W_i x + b_i.
            state: the old state, in the order of `states`.
            U: `U.i(v)` is the recurrent product of block i with v.
            p: `p.i` is a vector parameter of (hidden,).
        """

    def bias_shifts(self) -> Mapping[str, float]:
        """What initialisation adds to the bias of an input block, by the block's name."""
        return {}

    @property
    def hidden_size(self) -> int:
        return self.settings.hidden_size

    @cached_property
    def graph(self) -> Graph:
        """The equations as expressions, from which the parameters follow."""
        return trace(self.step, self.states)


CELLS: Registry[type[Cell[Any]]] = Registry("cell")

AnyCell = Annotated[CellSettings, ChosenBy("type", lambda: {name: cell.settings_type for name, cell in CELLS.items()})]
"""A settings field that holds the options of any registered cell, chosen by its `type`."""


def make_cell(settings: CellSettings) -> Cell[Any]:
    """The cell that the settings describe."""
    return CELLS[settings.type](settings)
