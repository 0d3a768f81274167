"""How the parameters of a whole model start."""

from __future__ import annotations

import torch
from torch import nn

from rnncli.cells.drawing import Streams, draw
from rnncli.cells.initializers import InitializerSettings
from rnncli.cells.weights import CellWeights
from rnncli.heads.classes import Classes
from rnncli.heads.crf import CRF
from rnncli.layers.connections import Highway
from rnncli.layers.embedding import Embedding


@torch.no_grad()
def start(model: nn.Module, streams: Streams, way: InitializerSettings | None, hidden_size: int) -> None:
    """Draws every parameter that starts at random, each module from the stream of its name in the files of weights.

    What starts at a fixed number keeps it: learned initial states, the bias of a highway's gate, the scale and shift of
    a window or of normalised channels, the vector of padding, pretrained vectors.

    Args:
        way: how they start in place of what each module draws by itself. Of a cell it draws what neither its settings
            nor its paper speak of.
        hidden_size: units of the model's cell, by which a uniform way measures; the cells use their own.
    """
    # Children first: a highway puts a number over what its linear layer has drawn.
    for name, module in reversed([*model.named_modules()]):
        with streams.named(name):
            match module:
                case CellWeights():
                    module.reset_parameters(way)
                case Embedding():
                    module.reset_parameters(way, hidden_size)
                case Highway():
                    module.reset_parameters()
                case nn.Linear() | nn.Conv2d() | Classes() | CRF():
                    module.reset_parameters()
                    _draw(module, name, streams, way, hidden_size)


def _draw(module: nn.Module, prefix: str, streams: Streams, way: InitializerSettings | None, hidden_size: int) -> None:
    """Draws the parameters of the module itself, as far as the way suits them."""
    for name, parameter in module.named_parameters(prefix, recurse=False):
        if way is not None and way.suits(parameter.dim()):
            with streams.named(name):
                draw(parameter, way, hidden_size)
