"""The size at which a variant has the budget of all others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch

from rnncli.ablation.settings import Changes, MatchSettings
from rnncli.errors import ConfigError
from rnncli.inputs.loader import Loader
from rnncli.models.model import Model
from rnncli.runs.assembly import new_loader, new_model
from rnncli.runs.config import RunConfig

_LARGEST = 2**16


@dataclass(frozen=True)
class Matched:
    """A size and what comes of it.

    Attributes:
        cost: parameters or FLOPs of the model of that size.
    """

    size: int
    cost: int
    changes: Changes


class Costs:
    """Models of configs, without their numbers; data are read once for all configs that name the same."""

    def __init__(self) -> None:
        self._data: dict[str, tuple[Loader[Any], list[str]]] = {}

    def model(self, config: RunConfig) -> Model:
        """The model of a config, on no device.

        Raises:
            UserError: data or model can't be used.
        """
        loader, _ = self.data(config)
        with torch.device("meta"):
            return new_model(config, loader, torch.device("meta"))

    def data(self, config: RunConfig) -> tuple[Loader[Any], list[str]]:
        """The loader of a config, which has read its data, and the names of their parts."""
        key = f"{config.task} {config.training.limit} {config.training.refit} {config.data.model_dump_json()}"
        if key not in self._data:
            loader = new_loader(config)
            parts = loader.load(config.training.limit, config.training.refit)
            self._data[key] = loader, list(parts)
        return self._data[key]

    def matched(self, settings: MatchSettings, config_of: Callable[[Changes], RunConfig]) -> Matched:
        """The size whose model comes nearest to the budget.

        Raises:
            ConfigError: no size comes near.
        """
        budget = settings.parameters or settings.flops or 0

        @cache
        def cost(size: int) -> int:
            model = self.model(config_of(dict.fromkeys(settings.sizes, size)))
            return model.parameter_count if settings.parameters else model.flops

        below, above = 0, 1
        while cost(above) < budget:
            below, above = above, 2 * above
            if above > _LARGEST:
                raise ConfigError([f"match: no size up to {_LARGEST} reaches {budget:,}"])
        while above - below > 1:
            middle = (below + above) // 2
            below, above = (middle, above) if cost(middle) < budget else (below, middle)
        if below == 0 and cost(1) > 2 * budget:
            raise ConfigError([f"match: the smallest model has {cost(1):,} where {budget:,} are wanted"])
        size = min((each for each in (below, above) if each), key=lambda each: abs(cost(each) - budget))
        return Matched(size, cost(size), dict.fromkeys(settings.sizes, size))
