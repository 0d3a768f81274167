"""The table of a model that writes: every part has a row, also one whose weights or steps alone are used."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from rnncli.config import read
from rnncli.runs.assembly import assemble
from rnncli.runs.config import RunConfig
from rnncli.runs.shapes import shapes_of

CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.mark.parametrize(
    ("name", "changes", "order"),
    [
        ("dates", [], ["reader.stack layer 1 backward", "writer.embedding", "writer.looking", "writer.head"]),
        ("dates", ["model.decoder.input_feeding=true"], ["writer.embedding", "writer.stack layer 1", "writer.head"]),
        ("dates", ["model.decoder.layers=2"], ["writer.stack layer 1", "writer.stack layer 2", "writer.looking"]),
        ("shapes_captions", [], ["reader.images", "writer.embedding", "writer.stack layer 1", "writer.head"]),
        ("curves", [], ["writer.stack layer 1", "head"]),
        ("dialled", [], ["stack layer 1 forward", "head"]),
    ],
)
def test_every_part_stands_once_where_it_is_used(name: str, changes: list[str], order: list[str]) -> None:
    config = read(CONFIGS / f"{name}.yaml", RunConfig, [*changes, "training.device=cpu", "training.limit=40"])
    torch.manual_seed(1)
    shapes, model = shapes_of(config), assemble(config).model
    names = [part.name for part in shapes.parts]
    assert len(names) == len(set(names)) and "model" not in names
    assert [name for name in names if name in order] == order
    shown = sorted(shape for part in shapes.parts for shape in part.parameters.values())
    assert shown == sorted(tuple(each.shape) for each in model.parameters())
    assert sum(part.count for part in shapes.parts) == shapes.count
