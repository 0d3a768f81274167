"""Options of the heads. Nothing here needs torch."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from rnncli.config.settings import Settings
from rnncli.inputs.targets import Kind
from rnncli.registry import ChosenBy, Registry


class HeadSettings(Settings):
    """Options that every head has.

    Attributes:
        kinds: the kinds of target that it can predict.
    """

    kinds: ClassVar[tuple[Kind, ...]]

    type: str
    """Name of the head."""


HEAD_SETTINGS: Registry[type[HeadSettings]] = Registry("head")


@HEAD_SETTINGS.register("classes")
class ClassesSettings(HeadSettings):
    """Options of the head for one class an item."""

    kinds = ("class", "tag", "token", "sequence")

    type: Literal["classes"]
    """One of several classes, by softmax and cross entropy."""

    weights: Literal["none", "balanced"] | dict[str, Annotated[float, Field(gt=0)]] = "none"
    """Weight of each class in the loss: all alike, inverse to its share of the training part, or by name (1 where a
    name is not given)."""

    label_smoothing: float = Field(0.0, ge=0, lt=1)
    """Share of the target's probability that the loss spreads evenly over all classes (Szegedy et al. 2016)."""


@HEAD_SETTINGS.register("labels")
class LabelsSettings(HeadSettings):
    """Options of the head for a set of labels an item."""

    kinds = ("labels", "frame")

    type: Literal["labels"]
    """Any number of labels, each by its own sigmoid; the loss is the cross entropy summed over the labels."""

    threshold: float = Field(0.5, gt=0, lt=1)
    """Probability from which a label counts as predicted."""


@HEAD_SETTINGS.register("values")
class ValuesSettings(HeadSettings):
    """Options of the head for numbers."""

    kinds = ("value", "forecast")

    type: Literal["values"]
    """Numbers, by a linear layer."""

    loss: Literal["mse", "mae", "huber", "quantiles"] = "mse"
    """Squared error, absolute error, Huber's mixture of the two, or the pinball loss of several quantiles."""

    delta: float = Field(1.0, gt=0)
    """For huber: the error, in scaled units, from which the loss is linear."""

    levels: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = Field((0.1, 0.5, 0.9), min_length=1)
    """For quantiles: their levels in ascending order; the one nearest 0.5 is the prediction."""

    @model_validator(mode="after")
    def _nothing_idle(self) -> ValuesSettings:
        if self.delta != 1.0 and self.loss != "huber":
            raise ValueError(f"delta belongs to loss: huber, and loss is {self.loss}")
        if self.levels != (0.1, 0.5, 0.9) and self.loss != "quantiles":
            raise ValueError(f"levels belong to loss: quantiles, and loss is {self.loss}")
        if list(self.levels) != sorted(set(self.levels)):
            raise ValueError(f"levels must ascend, each once; found {', '.join(map(str, self.levels))}")
        return self


@HEAD_SETTINGS.register("crf")
class CRFSettings(HeadSettings):
    """Options of the conditional random field."""

    kinds = ("tag", "class")

    type: Literal["crf"]
    """Tags of a sentence chosen together, by a linear-chain conditional random field (Lafferty et al. 2001)."""

    constrain: bool = False
    """Forbid tags in an order that the target's scheme (BIO, BIOES) does not know, in training and prediction."""


@HEAD_SETTINGS.register("ctc")
class CTCSettings(HeadSettings):
    """Options of connectionist temporal classification."""

    kinds = ("sequence",)

    type: Literal["ctc"]
    """Tokens or blanks at each step; blanks and repetitions fall away (Graves et al. 2006). No decoder is needed."""


AnyHead = Annotated[HeadSettings, ChosenBy("type", lambda: dict(HEAD_SETTINGS.items()))]
"""A settings field that holds the options of any registered head, chosen by its `type`."""
