"""What joins the input of a layer to its output."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rnncli.errors import ConfigError
from rnncli.layers.settings import ConnectionName


class Residual(nn.Module):
    """layer(x) + x (He et al., CVPR 2016; between LSTM layers Wu et al., arXiv 1609.08144)."""

    def forward(self, inputs: Tensor, outputs: Tensor) -> Tensor:
        """What a layer reads and what it makes of it, both (batch, time, size), to the same."""
        return outputs + inputs


class Highway(nn.Module):
    """t * layer(x) + (1 - t) * x with t = sigmoid(W x + b) (Srivastava, Greff & Schmidhuber, arXiv 1505.00387v2).

    b starts at -1, so that at first more of the input is carried past the layer.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.gate = nn.Linear(size, size)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Put b at its start, over what the linear layer has drawn."""
        nn.init.constant_(self.gate.bias, -1.0)

    def forward(self, inputs: Tensor, outputs: Tensor) -> Tensor:
        """What a layer reads and what it makes of it, both (batch, time, size), to the same."""
        t = torch.sigmoid(self.gate(inputs.transpose(0, 1))).transpose(0, 1)
        return t * (outputs - inputs) + inputs


def make_connections(name: ConnectionName, input_size: int, size: int, layers: int) -> nn.ModuleDict:
    """The connections of a stack by the number of the layer; the first has one only where the sizes agree.

    Raises:
        ConfigError: there is no layer to connect.
    """
    if name == "none":
        return nn.ModuleDict()
    connected = range(0 if input_size == size else 1, layers)
    if not connected:
        raise ConfigError(
            [
                f"model.connections: {name} does nothing with one layer whose input has another size ({input_size}) "
                f"than its output ({size}); set model.layers to 2 or more, or connections to none"
            ]
        )
    return nn.ModuleDict({str(layer): Residual() if name == "residual" else Highway(size) for layer in connected})
