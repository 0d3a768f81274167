"""A model as a table: its parts in the order in which a real batch goes through them, with every shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rnncli.cells.weights import CellWeights
from rnncli.errors import RunError
from rnncli.inputs.batches import Batch
from rnncli.layers.connections import Highway, Residual
from rnncli.layers.recurrent import Stack
from rnncli.models.inputs import InputLayer
from rnncli.models.model import Model
from rnncli.runs.assembly import Assembled, assemble
from rnncli.runs.config import RunConfig
from rnncli.runs.directory import RunDirectory
from rnncli.runs.summary import hashes
from rnncli.sequences import Padded

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Part:
    """One part of a model.

    Attributes:
        name: where it is in the model.
        kind: what it is.
        reads, gives: shapes of its first input and output; None where that is no tensor, or it was not called as a
            whole.
        parameters: the shapes of its own, by name.
    """

    name: str
    kind: str
    reads: Shape | None
    gives: Shape | None
    parameters: dict[str, Shape]

    @property
    def count(self) -> int:
        """How many numbers its own parameters hold."""
        return sum(int(np.prod(shape)) for shape in self.parameters.values())


@dataclass(frozen=True)
class Shapes:
    """What a model is made of.

    Attributes:
        inputs: the shapes of the batch that was measured, by the name of the feature.
        parts: in the order in which the batch went through them.
        count: numbers in all parameters.
        trained: those of them that training changes.
        flops: floating-point operations of a step of one sequence in all recurrent layers.
    """

    inputs: dict[str, Shape]
    parts: list[Part]
    count: int
    trained: int
    flops: int
    engine: str
    engine_reason: str


def shapes_of(config: RunConfig, run: Path | None = None) -> Shapes:
    """Reads the data, builds the model and passes one batch of the training part through it.

    Args:
        run: the directory of the run whose config it is.

    Raises:
        UserError: something of it can't be used.
    """
    assembled = assemble(config)
    model, train, settings = assembled.model, assembled.data["train"], config.training
    if run is not None:
        _refuse_other_data(run, assembled)
    first = train.plan(settings.batch_size, np.random.default_rng(settings.seed), settings.bptt_steps)[0]
    batch = train.batch(first).to(assembled.device)
    inputs = {name: tuple(each.values.shape) for name, each in batch.inputs.items()}
    return Shapes(
        inputs,
        list(_parts(model, _measured(model, batch), next(iter(inputs.values())) if len(inputs) == 1 else None)),
        sum(each.numel() for each in model.parameters()),
        model.parameter_count,
        model.flops,
        model.engine,
        model.engine_reason,
    )


def _refuse_other_data(run: Path, assembled: Assembled) -> None:
    begun = RunDirectory.open(run).data_hashes()
    if list(hashes(assembled.loader.files).values()) != list(begun.values()):
        raise RunError(
            f"{run}: the data have changed since the run was trained; rnncli describe {run / 'config.yaml'} shows the "
            "model for those of today"
        )


_Measures = Mapping[str, tuple[Shape | None, Shape | None]]


def _measured(model: Model, batch: Batch) -> _Measures:
    """What each module read and gave at its first call, in the order in which they were done."""
    found: dict[str, tuple[Shape | None, Shape | None]] = {}

    def watch(name: str, module: nn.Module) -> Any:
        def keep(module: nn.Module, given: tuple[Any, ...], made: Any) -> None:
            found.setdefault(name, (_shape(given), _shape(made)))

        return module.register_forward_hook(keep)

    hooks = [watch(name, module) for name, module in model.named_modules() if name]
    try:
        with torch.no_grad():
            model.loss(batch)
    finally:
        for hook in hooks:
            hook.remove()
    return found


def _shape(value: Any) -> Shape | None:
    """The shape of a tensor, of padded sequences, or of the first of several."""
    if isinstance(value, tuple) and value:
        return _shape(value[0])
    if isinstance(value, Padded):
        return tuple(value.values.shape)
    return tuple(value.shape) if isinstance(value, Tensor) else None


def _parts(model: Model, measures: _Measures, last: Shape | None) -> Iterator[Part]:
    """The modules of this package and those that stand in the model itself, as far as they hold or change anything.

    Args:
        last: the shape of what the first of them reads.
    """
    modules = dict(model.named_modules())
    ours = {name for name, module in modules.items() if name and type(module).__module__.startswith("rnncli.")}
    shown = {name for name in measures if "." not in name} | ours
    own: dict[str, dict[str, Shape]] = {}
    for name, parameter in model.named_parameters():
        owner = max((each for each in shown if name.startswith(f"{each}.")), key=len, default="")
        own.setdefault(owner, {})[name.removeprefix(f"{owner}.")] = tuple(parameter.shape)
    for name in _in_order(modules, measures, {*own, *(name for name in ours if isinstance(modules[name], Stack))}):
        module, (reads, gives) = modules[name], measures.get(name, (None, None))
        if isinstance(module, Residual | Highway | CellWeights):
            continue  # shown with its layer
        if isinstance(module, Stack):
            for part in _layers(name, _readable(name, modules), module, reads, own):
                yield part
                last = part.gives
        parameters = own.get(name, {})
        if name in shown and (parameters or (gives is not None and gives not in (reads, last))):
            yield Part(_readable(name, modules), type(module).__name__.lstrip("_"), reads, gives, parameters)
            last = gives
    if "" in own:
        yield Part("model", type(model).__name__, None, None, own[""])


def _in_order(modules: Mapping[str, nn.Module], measures: _Measures, owners: Set[str]) -> list[str]:
    """The modules that were called, and those with parameters that were not (whose steps or weights were used alone):
    before what stands behind them in the same module and was called."""
    names, place = list(measures), {name: place for place, name in enumerate(modules)}
    for name in sorted(owners - measures.keys() - {""}, key=place.__getitem__):
        beside = name.rpartition(".")[0]
        behind = (at for at, other in enumerate(names) if other.rpartition(".")[0] == beside)
        names.insert(next((at for at in behind if place[names[at]] > place[name]), len(names)), name)
    return names


def _layers(
    name: str, shown: str, stack: Stack, reads: Shape | None, own: Mapping[str, dict[str, Shape]]
) -> Iterator[Part]:
    """A part for each layer and direction of a stack, and for what joins input and output of a layer.

    All have the batch and the time of what the stack reads.
    """
    before = reads[:2] if reads is not None else ()
    for place, weights in enumerate(stack.weights):
        assert isinstance(weights, CellWeights)
        layer, backward = divmod(place, stack.directions)
        direction = ("" if stack.directions == 1 else " forward") if not backward else " backward"
        kind = f"{weights.cell.settings.type} ({stack.choice.name})"
        sizes = (*before, weights.input_size), (*before, weights.cell.hidden_size)
        yield Part(f"{shown} layer {layer + 1}{direction}", kind, *sizes, own.get(f"{name}.weights.{place}", {}))
        if str(layer) in stack.connections and (backward or stack.directions == 1):
            kind, size = type(stack.connections[str(layer)]).__name__, (*before, stack.size)
            joined = own.get(f"{name}.connections.{layer}", {})
            yield Part(f"{shown} layer {layer + 1} joined to its input", kind, size, size, joined)


def _readable(name: str, modules: Mapping[str, nn.Module]) -> str:
    """The name of a module; embeddings by the name of what they embed."""
    head, _, rest = name.partition(".embeddings.")
    layer = modules[head]
    if rest and isinstance(layer, InputLayer):
        place, _, below = rest.partition(".")
        return ".".join([head, layer.embedded[int(place)], *([below] if below else [])])
    return name
