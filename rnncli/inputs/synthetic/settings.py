"""Options of the synthetic loader."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Self

from pydantic import Field, model_validator

from rnncli.config.settings import Settings
from rnncli.inputs.settings import DataSettings

TaskName = Literal["adding", "copy", "temporal-order", "permutation", "memorization", "arithmetic", "xml", "digits"]

_LENGTHS: dict[TaskName, tuple[int, int]] = {
    "adding": (100, 2),
    "copy": (100, 1),
    "temporal-order": (100, 10),
    "permutation": (100, 2),
    "memorization": (5, 1),
}
"""Of each task that has a length: the usual one, the least one."""

_OPTIONS: dict[str, tuple[TaskName, ...]] = {
    "length": (*_LENGTHS,),
    "sizes": (*_LENGTHS, "arithmetic", "xml"),
    "scored": ("copy",),
    "symbols": ("temporal-order",),
    "digits": ("arithmetic",),
    "distractors": ("arithmetic",),
    "permuted": ("digits",),
}
"""Which tasks an option is for."""


class SyntheticSizes(Settings):
    """How many examples are drawn for each part: sequences, or examples and documents of a stream."""

    train: int = Field(10_000, ge=1)
    """Examples of the training part."""

    valid: int = Field(1_000, ge=0)
    """Examples of the validation part; 0 for none."""

    test: int = Field(1_000, ge=0)
    """Examples of the test part; 0 for none."""


class SyntheticSettings(DataSettings):
    """Tasks of the literature whose data are drawn, not read: adding, copy, arithmetic and others."""

    loader: Literal["synthetic"]

    name: TaskName
    """The task: adding, temporal-order, permutation and digits ask once a sequence, copy at each step, and
    memorization, arithmetic and xml are streams of examples, read one after another."""

    length: int | None = Field(None, ge=1)
    """Steps of a sequence (adding, temporal-order, permutation) or between the symbols and their recall (copy), 100
    where not given; for memorization the symbols to be repeated, 5 where not given."""

    sizes: SyntheticSizes = SyntheticSizes()

    seed: int = Field(1, ge=0)
    """Seed of the data; each part draws by itself, so the size of one changes nothing in another."""

    scored: Literal["all", "recalled"] = "all"
    """For copy: loss and metrics count all steps, or only those at which the symbols are recalled."""

    symbols: Literal[2, 3] = 2
    """For temporal-order: symbols to be remembered; 2 give 4 classes, 3 give 8."""

    digits: int = Field(8, ge=1, le=18)
    """For arithmetic: the most digits that a number of a question has."""

    distractors: float = Field(0.3, ge=0, lt=1)
    """For arithmetic: probability of a letter, and of yet another after it, behind each character of a question."""

    permuted: bool = False
    """For digits: read the pixels in an order drawn once, the same for all images."""

    @property
    def steps(self) -> int:
        """The length, given or not; 0 for a task that has none."""
        return self.length or _LENGTHS.get(self.name, (0, 0))[0]

    @model_validator(mode="after")
    def _long_enough(self) -> Self:
        least = _LENGTHS.get(self.name, (0, 0))[1]
        if self.steps < least:
            raise ValueError(f"length: {self.name} needs at least {least} steps; found {self.steps}")
        return self

    def idle(self) -> Iterator[str]:
        for option, tasks in _OPTIONS.items():
            if self.name not in tasks and self.changed(option):
                yield f"{option}: is for {', '.join(tasks)}; name is {self.name}"
