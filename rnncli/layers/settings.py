"""Options of layers; importing them does not import torch."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from rnncli.config.settings import Settings

Rate = Annotated[float, Field(ge=0, lt=1)]
PoolingName = Literal["last", "mean", "max", "attention"]


class DropoutSettings(Settings):
    """Shares of what is set to zero while training; what is left is scaled up by 1 / (1 - share)."""

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

    output: Rate = 0.0
    """Share of the single numbers dropped between the recurrent layers and the output layer (Zaremba et al. 2014)."""


NO_DROPOUT = DropoutSettings()
