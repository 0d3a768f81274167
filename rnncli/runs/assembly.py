"""From a configuration to the parts of a run: loader, data, model, device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from rnncli.cells.cell import CellSettings, make_cell
from rnncli.cells.own import OwnCellSettings
from rnncli.cells.source import RAISED, blamed
from rnncli.cells.weights import CellWeights
from rnncli.engines.loop import LoopEngine
from rnncli.errors import ConfigError, RunError
from rnncli.heads.choice import decoding_mistakes
from rnncli.inputs.batches import Dataset
from rnncli.inputs.loader import Loader, SplitName
from rnncli.inputs.loaders import loader_named
from rnncli.models.build import build_model
from rnncli.models.encoder_decoder import cut_notes
from rnncli.models.model import Model
from rnncli.models.transcriber import fitting_notes
from rnncli.runs.config import RunConfig
from rnncli.tasks.evaluation import choosing_metric, measured, metrics_of
from rnncli.training.device import choose_device
from rnncli.training.mistakes import training_mistakes

_EVALUATED_TOGETHER = 4
"""Batches of training in one of evaluation: it takes less time, and about the memory of training, since nothing is kept
for gradients."""


@dataclass(frozen=True)
class Assembled:
    """The parts of a run that is to be trained.

    Attributes:
        metric: the metric that chooses the best epoch.
    """

    config: RunConfig
    device: torch.device
    loader: Loader[Any]
    data: dict[SplitName, Dataset]
    model: Model
    metric: str


def assemble(config: RunConfig) -> Assembled:
    """Reads the data and builds the model for them.

    Raises:
        UserError: something of it can't be used; of the model's and the training's options all that can't.
    """
    settings = config.training
    _try_own_cell(config.model.cell)
    if settings.threads is not None:
        torch.set_num_threads(settings.threads)
    device = choose_device(settings.device, settings.mixed_precision)
    loader = new_loader(config)
    data = loader.load(settings.limit, settings.refit)
    metrics_of(loader.target)  # a package that they lack is missed now, and not when the first epoch is over
    model = new_model(config, loader, device)
    known = []
    if settings.metric is not None and "valid" in data:
        known = measured(model, loader.target, data["valid"], settings.batch_size, device)
    mistakes = list(training_mistakes(settings, loader.target, data, known, config.model.bidirectional))
    mistakes += decoding_mistakes(config.decoding, config.model.head, loader.target)
    if mistakes:
        raise ConfigError(mistakes)
    loader.notes += fitting_notes(model, data.items()) + cut_notes(model, config.decoding, data.items())
    return Assembled(config, device, loader, data, model, settings.metric or choosing_metric(loader.target))


def _try_own_cell(settings: CellSettings) -> None:
    """One step of a cell of the user's own on tensors: what works on symbols alone is found before data are read.

    Raises:
        ConfigError: its code raises an error.
    """
    if not isinstance(settings, OwnCellSettings):
        return
    try:
        weights = CellWeights(make_cell(settings), settings.hidden_size)
        LoopEngine().step(weights, torch.ones(2, settings.hidden_size))
    except RAISED as error:
        raise ConfigError([f"model.cell.file: {blamed(error, settings.source, settings.file)}"]) from error


def new_loader(config: RunConfig) -> Loader[Any]:
    """The loader that the config names, before it has read anything."""
    return loader_named(config.data.loader)(config.data, config.task)


def new_model(config: RunConfig, loader: Loader[Any], device: torch.device) -> Model:
    """The model for what the loader has found; its first weights depend on the seed alone."""
    torch.manual_seed(config.training.seed)
    context = getattr(config.data, "context", None)
    return build_model(config.model, loader.features, loader.target, context=context).to(device)


def evaluation_size(config: RunConfig, loader: Loader[Any]) -> int:
    """Sequences or windows of a batch that nothing is learnt from.

    The columns of a stream stay as many as in training: on their number depends what each of them begins with.
    """
    size = config.training.batch_size
    return size if loader.target.kind == "token" else _EVALUATED_TOGETHER * size


def put_weights(model: Model, weights: Mapping[str, Tensor]) -> None:
    """Loads weights that must fit.

    Raises:
        RunError: names or shapes differ.
    """
    try:
        model.load_state_dict(dict(weights))
    except RuntimeError as error:
        first = str(error).splitlines()[1].strip()
        raise RunError(f"the weights do not fit the model that config.yaml describes: {first}") from error


def warm_start(model: Model, weights: Mapping[str, Tensor]) -> tuple[int, int]:
    """Takes over the parameters whose names and shapes agree; how many of how many. What else is kept with them counts
    the steps of the training that they come from."""
    own = dict(model.named_parameters())
    fitting = {name: value for name, value in weights.items() if name in own and own[name].shape == value.shape}
    model.load_state_dict(fitting, strict=False)
    return len(fitting), len(own)
