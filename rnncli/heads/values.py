"""Numbers: regression, forecasts and their quantiles."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import huber_loss

from rnncli.heads.head import HEADS, Head
from rnncli.heads.settings import ValuesSettings
from rnncli.inputs.batches import Batch
from rnncli.inputs.targets import Target
from rnncli.metrics.outcome import Outcome


@HEADS.register("values")
class ValuesHead(Head[ValuesSettings]):
    """A linear layer. Outputs are (items, values, levels) or, for a forecast, (items, horizon, values, levels), in
    scaled units; one level where the loss is not of quantiles.

    Targets that are NaN take no part in the loss. Quantiles that cross are put in order in the outcome (Chernozhukov,
    Fernandez-Val & Galichon, "Quantile and probability curves without crossing", Econometrica 78, 2010), which never
    makes their pinball loss larger; the loss in training is of the unordered ones.
    """

    settings_type = ValuesSettings
    levels: Tensor

    def __init__(self, settings: ValuesSettings, features: int, target: Target) -> None:
        super().__init__(settings, features, target)
        levels = settings.levels if settings.loss == "quantiles" else (0.5,)
        steps = (target.horizon,) if target.kind == "forecast" else ()
        self.shape = (*steps, len(target.names), len(levels))
        self.linear = nn.Linear(features, torch.Size(self.shape).numel())
        self.register_buffer("levels", torch.tensor(levels), persistent=False)
        self.middle = min(range(len(levels)), key=lambda level: abs(levels[level] - 0.5))

    def score(self, items: Tensor) -> Tensor:
        scores: Tensor = self.linear(items)
        return scores.view(len(items), *self.shape)

    def loss(self, outputs: Tensor, batch: Batch) -> tuple[Tensor, int]:
        targets = self.known_targets(batch).unsqueeze(-1)
        observed = targets.isfinite()
        # NaN must not enter the error: masked afterwards, its gradient would still be NaN.
        error = torch.where(observed, targets - outputs, 0.0)
        match self.settings.loss:
            case "mse":
                losses = error.square()
            case "mae":
                losses = error.abs()
            case "huber":
                losses = huber_loss(error, torch.zeros_like(error), reduction="none", delta=self.settings.delta)
            case "quantiles":
                losses = torch.maximum(self.levels * error, (self.levels - 1) * error)
        count = observed.sum().clamp(min=1) * outputs.shape[-1]
        return losses.sum() / count, len(targets)

    def outcome(self, outputs: Tensor, batch: Batch) -> Outcome:
        center, scale = self._units(batch.center, batch), self._units(batch.scale, batch)
        targets = self.targets(batch)
        quantiles = outputs.float()
        if center is not None and scale is not None:
            quantiles = quantiles * scale.unsqueeze(-1) + center.unsqueeze(-1)
            targets = None if targets is None else targets * scale + center
        if quantiles.shape[-1] > 1:
            quantiles = quantiles.sort(-1).values
        naive_error = self._units(batch.naive_error, batch)
        return Outcome(
            predicted=quantiles[..., self.middle].cpu().numpy(),
            target=None if targets is None else targets.cpu().numpy(),
            lengths=self.lengths(batch),
            quantiles=quantiles.cpu().numpy() if self.settings.loss == "quantiles" else None,
            levels=self.settings.levels if self.settings.loss == "quantiles" else None,
            scale=None if scale is None else scale.cpu().numpy(),
            naive_error=None if naive_error is None else naive_error.cpu().numpy(),
        )

    def _units(self, units: Tensor | None, batch: Batch) -> Tensor | None:
        """Units of each sequence as units of each item: (items, values), or (items, 1, values) for a forecast."""
        if units is None or not self.target.per_step:
            return units
        rows = units.flatten(1)
        return rows.repeat_interleave(batch.sequences.lengths.to(rows.device), 0)
