"""From a configuration to the parts of a run: loader, data, model, device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from rnncli.errors import RunError
from rnncli.inputs.loaders import loader_named
from rnncli.inputs.loader import Loader
from rnncli.models.build import build_model
from rnncli.models.model import Model
from rnncli.runs.config import RunConfig


def new_loader(config: RunConfig) -> Loader[Any]:
    """The loader that the config names, before it has read anything."""
    return loader_named(config.data.loader)(config.data, config.task)


def new_model(config: RunConfig, loader: Loader[Any], device: torch.device) -> Model:
    """The model for what the loader has found; its first weights depend on the seed alone."""
    torch.manual_seed(config.training.seed)
    context = getattr(config.data, "context", None)
    return build_model(config.model, loader.features, loader.target, context=context).to(device)


def put_weights(model: Model, weights: Mapping[str, Tensor]) -> None:
    """Loads weights that must fit.

    Raises:
        RunError: names or shapes differ.
    """
    try:
        model.load_state_dict(dict(weights))
    except RuntimeError as error:
        raise RunError(
            f"the weights do not fit the model of config.yaml: {str(error).splitlines()[-1].strip()}"
        ) from error


def warm_start(model: Model, weights: Mapping[str, Tensor]) -> tuple[int, int]:
    """Takes over the weights whose names and shapes agree; how many of how many."""
    own = model.state_dict()
    fitting = {name: value for name, value in weights.items() if name in own and own[name].shape == value.shape}
    model.load_state_dict(own | fitting)
    return len(fitting), len(own)
