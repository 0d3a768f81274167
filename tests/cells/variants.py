"""Every registered cell with every one of its choices, and the torch.nn modules that some of them equal."""

from itertools import product
from typing import Any, Literal, get_args, get_origin

import torch
from torch import nn

from rnncli.cells import CELLS, CellSettings, make_cell
from rnncli.cells.weights import CellWeights


def every_cell(hidden_size: int = 4) -> dict[str, CellSettings]:
    """Each cell of the registry with all combinations of its options that are words; the key is name-option-option.

    Cells that read the input itself project it, so that they take inputs of any size.
    """
    found = {}
    for name, cell in CELLS.items():
        fields = cell.settings_type.model_fields
        assert name in get_args(fields["type"].annotation)
        words = {
            key: get_args(field.annotation)
            for key, field in fields.items()
            if key != "type" and get_origin(field.annotation) is Literal
        }
        for chosen in product(*words.values()):
            options = {"type": name, "hidden_size": hidden_size, **dict(zip(words, chosen, strict=True))}
            settings = cell.settings_type.model_validate(options)
            if make_cell(settings).graph.raw:
                settings = cell.settings_type.model_validate(options | {"project": True})
            found["-".join([name, *chosen])] = settings
    return found


TWINS: dict[str, tuple[type[nn.RNNBase], dict[str, Any]]] = {
    "lstm": (nn.LSTM, {}),
    "gru-after": (nn.GRU, {}),
    "rnn-tanh": (nn.RNN, {"nonlinearity": "tanh"}),
    "rnn-relu": (nn.RNN, {"nonlinearity": "relu"}),
}


def twin(name: str, weights: list[CellWeights], layers: int = 1, bidirectional: bool = False) -> nn.RNNBase:
    """The torch.nn module with the same parameters; its second bias is frozen at what our cells have there."""
    hidden, input_size = weights[0].cell.hidden_size, weights[0].weight_ih.shape[1]
    kind, options = TWINS[name]
    module = kind(input_size, hidden, layers, batch_first=True, bidirectional=bidirectional, **options)
    module = module.to(weights[0].bias.dtype)
    for place, ours in enumerate(weights):
        layer, backward = divmod(place, 2) if bidirectional else (place, 0)
        suffix = f"_l{layer}" + ("_reverse" if backward else "")
        with torch.no_grad():
            getattr(module, "weight_ih" + suffix).copy_(ours.weight_ih)
            getattr(module, "weight_hh" + suffix).copy_(ours.weight_hh)
            getattr(module, "bias_ih" + suffix).copy_(ours.bias)
            second = getattr(module, "bias_hh" + suffix).zero_()
            if "hn" in ours.vectors:
                second[-hidden:] = ours.vectors["hn"]
    return module


def twin_gradients(module: nn.RNNBase, place: int, bidirectional: bool = False) -> dict[str, torch.Tensor]:
    """The twin's gradients by the names of ours."""
    layer, backward = divmod(place, 2) if bidirectional else (place, 0)
    suffix = f"_l{layer}" + ("_reverse" if backward else "")
    found = {name: getattr(module, f"{name}{suffix}").grad for name in ("weight_ih", "weight_hh")}
    found["bias"] = getattr(module, f"bias_ih{suffix}").grad
    if isinstance(module, nn.GRU):
        found["vectors.hn"] = getattr(module, f"bias_hh{suffix}").grad[-module.hidden_size :]
    return found
