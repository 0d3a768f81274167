"""Models with everything in them that has parameters, taken apart into what is drawn by itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from cells.variants import every_cell
from torch import Tensor

from rnncli.cells.cell import CellSettings
from rnncli.cells.initialization import by_block
from rnncli.cells.weights import CellWeights
from rnncli.inputs.features import PADDING, Categories, Feature, Spelling, Tokens, Values
from rnncli.inputs.targets import Target
from rnncli.models.build import build_model
from rnncli.models.model import Model
from rnncli.models.settings import ModelSettings

HIDDEN = 20
CELLS = every_cell(HIDDEN)
TARGETS = {
    "classes": Target("class", tuple("abcdefg"), (1,) * 7),
    "crf": Target("tag", tuple("abcdefg"), (1,) * 7, per_step=True),
    "ctc": Target("sequence", tuple("_abcdef"), units="character"),
    "labels": Target("labels", tuple("abcde"), (1,) * 5),
    "values": Target("value", tuple("abcd")),
    "forecast": Target("forecast", ("p", "q"), horizon=5, season=3),
}
"""By the name of the head, but for a forecast's."""
VECTORS = np.random.default_rng(0).normal(size=(50, 6)).astype(np.float32)
VECTORS[40:] = np.nan


def model_of(cell: CellSettings, head: str = "classes", seed: int = 3, **options: Any) -> Model:
    """Two layers in both directions with connections and learned initial states."""
    features: dict[str, Feature] = {"day": Categories(15), "values": Values(4, (2, 0))}
    chosen = {"layers": 2, "bidirectional": True, "connections": "highway", "learned_initial_state": True, **options}
    if head == "forecast":
        chosen = {"skip": "linear", "window_normalization": "revin", **chosen}
    else:
        features |= {"words": Tokens(50), "pretrained": Tokens(50, VECTORS), "letters": Spelling(9)}
        chosen = {"character_hidden_size": HIDDEN, "character_embedding_size": HIDDEN, **chosen}
        if head in ("crf", "ctc"):
            chosen = {"head": {"type": head}, **chosen}
    if not TARGETS[head].per_step and head != "ctc":
        chosen = {"pooling": ["attention", "last"], **chosen}
    torch.manual_seed(seed)
    settings = ModelSettings.model_validate({"cell": cell.model_dump(), **chosen})
    return build_model(settings, features, TARGETS[head], context=8 if head == "forecast" else None)


def parts(model: Model) -> dict[str, Tensor]:
    """All parameters by name: those of cells block by block, without what a cell adds to a bias; those of embeddings
    without the rows that are given."""
    found = {}
    for name, module in model.named_modules():
        if isinstance(module, CellWeights):
            shifts = {f"b_{block}": shift for block, shift in module.cell.bias_shifts().items()}
            for block, values in module.blocks().items():
                found[f"{name}.{block}"] = values.detach() - shifts.get(block, 0.0)
        elif not name.endswith(".vectors"):  # which are blocks of a cell
            found |= {key: each.detach() for key, each in module.named_parameters(name, recurse=False)}
    for key, values in found.items():
        if "embedding" in key and key.endswith("weight"):
            found[key] = values[40:] if torch.equal(values[1:40], torch.tensor(VECTORS[1:40])) else values[1:]
            assert not values[PADDING].any()
    return found


def by_the_cell(model: Model) -> set[str]:
    """The names of those blocks that the cell's paper or its settings speak of."""
    return {
        f"{name}.{block}"
        for name, module in model.named_modules()
        if isinstance(module, CellWeights)
        for ways in (module.cell.starts(), module.cell.settings.initialization)
        for block in by_block(ways, module.cell.blocks)
        if block in module.blocks()
    }


def by_nobody(model: Model) -> set[str]:
    """The names of what starts at a fixed number."""
    return {
        name
        for name in parts(model)
        if name.startswith(("stack.initial", "normalization")) or name.endswith("gate.bias")
    }
