"""Settings that use every form a config may take."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from rnncli.config import InputPath, InputPaths, Settings
from rnncli.registry import ChosenBy


class CellSettings(Settings):
    """A cell."""

    type: str
    """Kind of cell."""

    hidden_size: int = Field(gt=0)
    """Units of the state."""


class LSTM(CellSettings):
    type: Literal["lstm"]

    forget_bias: float = 1.0
    """Bias of the forget gate."""

    @model_validator(mode="after")
    def _not_13(self) -> LSTM:
        if self.hidden_size == 13:
            raise ValueError("13 units bring bad luck")
        return self


class GRU(CellSettings):
    type: Literal["gru", "mgu"]

    reset: Literal["before", "after"] = "after"
    """Where the reset gate acts."""


AnyCell = Annotated[CellSettings, ChosenBy("type", lambda: {"lstm": LSTM, "gru": GRU, "mgu": GRU})]


class Data(Settings):
    """Files."""

    root: InputPath | None = None
    """Folder of the paths."""

    train: InputPaths | None = None
    """Training files."""

    index: InputPath | None = None
    """Table."""

    extra: list[InputPath] = Field(default_factory=list)
    """More files."""

    separator: str = ","
    """Between columns."""


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Clip(Settings):
    """Clipping."""

    norm: float = Field(1.0, gt=0)
    """Greatest norm."""

    default: int = 3
    """A field named like a part of a core schema."""


class Example(Settings):
    """All forms."""

    cell: AnyCell
    """What is computed at each step."""

    second: AnyCell | None = None
    """Another cell."""

    stack: list[AnyCell] = Field(default_factory=list)
    """More cells."""

    data: Data = Data()

    whole: int = Field(3, ge=1, le=9)
    """A count."""

    rate: float = 1e-5
    """A rate."""

    flag: bool = False
    """A switch."""

    name: str = "x"
    """A name."""

    mode: Literal["mean", "max", "last"] = "last"
    """A way."""

    colour: Colour = Colour.RED
    """A colour."""

    rates: tuple[float, ...] = ()
    """Rates."""

    pair: tuple[int, str] | None = None
    """Two things."""

    size: Annotated[int, Field(gt=0)] | Literal["auto"] | list[Annotated[int, Field(gt=1)]] = "auto"
    """One size, several, or found."""

    weights: dict[str, float] = Field(default_factory=dict)
    """By class."""

    parts: dict[Literal["valid", "test"], float] = Field(default_factory=dict)
    """By part."""

    clip: bool | Clip = False
    """Clipping, with its options."""

    limits: Clip | None = None
    """Limits."""

    even: int = 2
    """An even number."""

    @field_validator("even")
    @classmethod
    def _is_even(cls, value: int) -> int:
        if value % 2:
            raise ValueError(f"{value} is not even")
        return value
