"""Options of layers; importing them does not import torch."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from rnncli.config.settings import Settings

Rate = Annotated[float, Field(ge=0, lt=1)]
PoolingName = Literal["last", "mean", "max", "attention"]
ConnectionName = Literal["none", "residual", "highway"]


class DropoutSettings(Settings):
    """Shares of what is set to zero while training, what is left being scaled up by 1 / (1 - share); with zoneout,
    shares of what keeps its old value."""

    embedding: Rate = 0.0
    """Share of the single numbers of the embedded inputs that is dropped."""

    word: Rate = 0.0
    """Share of whole tokens dropped, all numbers of their embedding at once."""

    between_layers: Rate = 0.0
    """Share of the single numbers dropped between one recurrent layer and the next (Zaremba et al. 2014)."""

    variational: Rate = 0.0
    """Share of the inputs of every recurrent layer dropped, the same at all steps (Gal & Ghahramani 2016)."""

    recurrent: Rate = 0.0
    """Share of the operands of the recurrent products dropped, the same at all steps (Gal & Ghahramani 2016)."""

    weight: Rate = 0.0
    """Share of the single numbers of the recurrent matrices dropped, once a batch (Merity et al. 2018)."""

    zoneout: Rate = 0.0
    """Share of the units of the output that keep their old value, drawn at each step (Krueger et al. 2017); in
    evaluation every unit keeps that share of it."""

    zoneout_memory: Rate = 0.0
    """The same for the memory c of a cell that has one beside its output (Krueger et al. 2017)."""

    output: Rate = 0.0
    """Share of the single numbers dropped between the recurrent layers and the output layer (Zaremba et al. 2014)."""


class SpecAugmentSettings(Settings):
    """Masks over the numbers of each sequence while training (SpecAugment, Park et al. 2019)."""

    frequency_masks: int = Field(2, ge=0)
    """Masks over neighbouring numbers of all steps."""

    frequency_width: int = Field(8, ge=1)
    """Numbers that such a mask hides at most; its width is drawn."""

    time_masks: int = Field(2, ge=0)
    """Masks over all numbers of neighbouring steps."""

    time_width: int = Field(10, ge=1)
    """Steps that such a mask hides at most; its width is drawn."""

    @model_validator(mode="after")
    def _each_does_something(self) -> SpecAugmentSettings:
        if not self.frequency_masks and not self.time_masks:
            raise ValueError("neither frequency_masks nor time_masks: nothing is hidden")
        for kind in ("frequency", "time"):
            if not getattr(self, f"{kind}_masks") and self.changed(f"{kind}_width"):
                raise ValueError(f"{kind}_width: there are no {kind}_masks")
        return self


NO_DROPOUT = DropoutSettings()
