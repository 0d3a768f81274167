"""What every cell is: settings, states and equations. Parameters and engines follow from the equations."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, ClassVar, Generic, Literal, Self, TypeVar

from pydantic import Field, model_validator

from rnncli.cells.expressions import Named, V
from rnncli.cells.graph import Gates, Graph, Products, trace
from rnncli.cells.initialization import refuse_misfits
from rnncli.cells.initializers import AnyInitializer, InitializerSettings
from rnncli.config.settings import Settings
from rnncli.registry import Brought, ChosenBy, Registry


class CellSettings(Settings):
    """Options that every cell has.

    Attributes:
        own: the class of a cell that has no registered name, because it comes from a user's file.
    """

    own: ClassVar[type[Cell[Any]] | None] = None

    type: str
    """Name of the cell."""

    hidden_size: Annotated[int, Field(gt=0)]
    """Number of units in the cell's state and output."""

    project: bool = False
    """For cells that read the input itself: map inputs of another size to hidden_size by a matrix first."""

    initialization: dict[str, AnyInitializer] = Field(default_factory=dict)
    """How parameters start: by the letter of the equations (W input, U recurrent, b bias, p vectors, P for project),
    each block by itself, or by letter and block (U_f), which goes first; a number is a constant. What is not named
    starts as the cell's paper asks, or else uniform within ±1/sqrt(hidden_size). An option such as forget_bias adds to
    what b says, and b_f takes its place."""

    @model_validator(mode="after")
    def _initialization_fits(self) -> Self:
        if self.initialization:
            refuse_misfits(self.initialization, make_cell(self))
        return self


S = TypeVar("S", bound=CellSettings)


@dataclass(frozen=True)
class Twin:
    """The kernel of torch that computes the same equations.

    Attributes:
        kernel: torch.lstm, torch.gru, torch.rnn_tanh or torch.rnn_relu.
        open_gates: blocks of the kernel that the cell lacks, because there the gate is 1 at all times.
    """

    kernel: Literal["lstm", "gru", "rnn_tanh", "rnn_relu"]
    open_gates: tuple[str, ...] = ()


class Cell(ABC, Generic[S]):
    """One step of a recurrent network.

    Attributes:
        settings_type: the class of its settings.
        states: names of what is carried from step to step, each (batch, hidden); the first is the output.
        bias: whether every input block has a bias.
    """

    settings_type: ClassVar[type[CellSettings]] = CellSettings
    states: tuple[str, ...] = ("h",)
    bias: bool = True

    def __init__(self, settings: S) -> None:
        self.settings = settings

    @abstractmethod
    def step(self, x: Named[V], state: tuple[V, ...], U: Products[V], p: Named[V], gate: Gates[V]) -> tuple[V, ...]:
        """The equations: the new state from the old one.

        Args:
            x: `x.i` is block i of the input projection, W_i x + b_i; `x.raw` is x itself.
            state: the old state, in the order of `states`.
            U: `U.i(v)` is the recurrent product of block i with v.
            p: `p.i` is a vector parameter of (hidden,).
            gate: `gate.i(value, "write")` marks a value as a gate with its role (keep, write or read) and gives it
                back, so that pictures and studies can name it.
        """

    def starts(self) -> Mapping[str, InitializerSettings]:
        """How parameters start that do not start as in torch.nn, uniform within ±1/sqrt(hidden).

        By the letter of the equations (W, U, b or p), or by letter and block (W_f, U_f, b_f, p_f), which goes first.
        """
        return {}

    def bias_shifts(self) -> Mapping[str, float]:
        """What initialisation adds to the bias of an input block, by the block's name."""
        return {}

    def twin(self) -> Twin | None:
        """The kernel of torch with the same equations and the same order of blocks, if there is one."""
        return None

    @classmethod
    def about(cls, name: str) -> str:
        """What the cell registered as `name` is: the first paragraph of the docstring, in one line."""
        return " ".join((cls.__doc__ or "").strip().split("\n\n")[0].split())

    @property
    def hidden_size(self) -> int:
        return self.settings.hidden_size

    @cached_property
    def graph(self) -> Graph:
        """The equations as expressions, from which the parameters follow."""
        return trace(self.step, self.states)

    @property
    def blocks(self) -> tuple[str, ...]:
        """The blocks of all parameters, by letter and block: W_i, U_i, b_i, p_i; P is the projection, if it may be."""
        graph = self.graph
        letters = {"W": graph.inputs, "U": graph.recurrent, "b": graph.inputs if self.bias else (), "p": graph.vectors}
        names = [f"{letter}_{block}" for letter, blocks in letters.items() for block in blocks]
        return (*names, "P") if graph.raw and self.settings.project else tuple(names)


CELLS: Registry[type[Cell[Any]]] = Registry("cell")


def _brought() -> Brought:
    from rnncli.cells.own import OWN  # which needs Cell

    return OWN


AnyCell = Annotated[
    CellSettings, ChosenBy("type", lambda: {name: cell.settings_type for name, cell in CELLS.items()}, _brought)
]
"""A settings field that holds the options of a registered cell, chosen by its `type`, or of one in a user's `file`."""


def make_cell(settings: CellSettings) -> Cell[Any]:
    """The cell that the settings describe."""
    return (settings.own or CELLS[settings.type])(settings)
