"""Sizes of equal budget, against models that are built in full; and what variants of one seed have in common."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from rnncli.ablation.matching import Costs
from rnncli.ablation.settings import Changes, MatchSettings
from rnncli.cells.cell import CELLS, make_cell
from rnncli.config.overrides import Change
from rnncli.errors import ConfigError
from rnncli.inputs.loader import Loader
from rnncli.runs.assembly import assemble, new_loader, new_model
from rnncli.runs.config import RunConfig
from rnncli.runs.reading import read_config
from rnncli.training.loop import Loop

from .plans import BASE, TOKENS

BUDGET = 100_000
TIED = ["model.cell.hidden_size", "model.embedding_size"]
SHAPES: dict[str, tuple[dict[str, Any], Changes, list[str]]] = {
    "plain": (BASE, {}, ["model.cell.hidden_size"]),
    "embedding as wide": (TOKENS, {}, TIED),
    "two layers": (TOKENS, {"model.layers": 2}, TIED),
    "two layers, both directions": (BASE, {"model.layers": 2, "model.bidirectional": True},
                                    ["model.cell.hidden_size"]),
}  # fmt: skip


@pytest.fixture(scope="module")
def costs() -> Costs:
    return Costs()


def configs(folder: Path, base: dict[str, Any], changes: Changes) -> Callable[[Changes], RunConfig]:
    path = folder / "base.yaml"
    path.write_text(yaml.safe_dump(base))
    return lambda sizes: read_config(path, [Change(k, v, k, folder) for k, v in {**changes, **sizes}.items()])


@cache
def loader_of(text: str) -> Loader[Any]:
    config = RunConfig.model_validate_json(
        text.removesuffix("}") + ', "model": {"cell": {"type": "rnn", "hidden_size": 1}}}'
    )
    loader = new_loader(config)
    loader.load(None, False)
    return loader


def built(config: RunConfig) -> tuple[int, int]:
    """Trainable numbers, counted one by one, and FLOPs of a model that is built anew."""
    with torch.device("meta"):  # drawing the numbers of the largest would take seconds
        model = new_model(config, loader_of(config.model_dump_json(include={"task", "data"})), torch.device("meta"))
    return sum(weight.numel() for weight in model.parameters() if weight.requires_grad), model.flops


@pytest.mark.parametrize(("shape", "kind"), [("plain", "flops"), *((shape, "parameters") for shape in SHAPES)])
@pytest.mark.parametrize("cell", list(CELLS))
def test_every_cell_comes_as_near_to_the_budget_as_a_whole_size_can(
    cell: str, shape: str, kind: str, tmp_path: Path, costs: Costs
) -> None:
    base, changes, sizes = SHAPES[shape]
    changes = {**changes, "model.cell.type": cell}
    if base is BASE and make_cell(configs(tmp_path, base, changes)({}).model.cell).graph.raw:
        changes["model.cell.project"] = True  # it reads the input itself, which then needs its width
    config_of = configs(tmp_path, base, changes)
    found = costs.matched(MatchSettings(**{kind: BUDGET}, sizes=sizes), config_of)
    assert found.changes == dict.fromkeys(sizes, found.size)
    near = [
        built(config_of(dict.fromkeys(sizes, size)))[kind == "flops"] for size in range(found.size - 1, found.size + 2)
    ]
    assert found.cost == near[1]
    assert near[0] < near[1] < near[2]
    assert abs(near[1] - BUDGET) == min(abs(each - BUDGET) for each in near)
    step = (near[2] - near[0]) / 2
    assert abs(near[1] - BUDGET) <= max(0.01 * BUDGET, 0.51 * step)
    if shape == "plain":
        assert abs(near[1] - BUDGET) < 0.01 * BUDGET


def test_the_first_and_the_exact_size(tmp_path: Path, costs: Costs) -> None:
    config_of = configs(tmp_path, BASE, {})
    counts = {size: built(config_of({"model.cell.hidden_size": size}))[0] for size in (1, 2, 3, 17, 64, 65)}
    for size, count in counts.items():
        for budget in (count, count + 1, count - 1):
            assert costs.matched(MatchSettings(parameters=budget), config_of).size == size
    assert costs.matched(MatchSettings(parameters=counts[1] * 2 // 3), config_of).size == 1


@pytest.mark.parametrize(
    ("budget", "message"),
    [
        (2, r"match: the smallest model has \d+ where 2 are wanted"),
        (10**12, "match: no size up to 65536 reaches 1,000,"),
    ],
)
def test_budgets_that_no_size_has(budget: int, message: str, tmp_path: Path, costs: Costs) -> None:
    with pytest.raises(ConfigError, match=message):
        costs.matched(MatchSettings(parameters=budget), configs(tmp_path, BASE, {}))


def test_a_cell_that_can_not_be_built(tmp_path: Path, costs: Costs) -> None:
    with pytest.raises(ConfigError, match="mut1 reads the input itself"):
        costs.matched(MatchSettings(parameters=BUDGET), configs(tmp_path, BASE, {"model.cell.type": "mut1"}))


PAIRED: dict[str, Changes] = {
    "cell": {"model.cell.type": "gru"},
    "size": {"model.cell.hidden_size": 5},
    "layers": {"model.layers": 2, "model.bidirectional": True},
    "optimizer": {"training.learning_rate": 0.5, "training.clip_norm": 1.0},
}


@pytest.mark.parametrize("variant", PAIRED)
def test_variants_of_one_seed_learn_from_the_same_rows_in_the_same_order(variant: str, tmp_path: Path) -> None:
    def rows_of(changes: Changes, seed: int) -> list[list[int]]:
        own = {"training.seed": seed, "training.threads": 1, "training.epochs": 3}
        parts = assemble(configs(tmp_path, BASE, {**changes, **own})({}))
        data, seen = parts.data["train"], []
        cut = data.batch
        data.batch = lambda rows: seen.append(rows.tolist()) or cut(rows)  # type: ignore[func-returns-value, method-assign]
        loop = Loop(parts.model, data, parts.config.training, parts.device, dict, parts.metric, lambda one, other: True)
        for _ in loop.events():
            pass
        return seen

    first = rows_of({}, 7)
    assert len(first) == 3 * 4 and first[:4] != first[4:8]
    assert rows_of(PAIRED[variant], 7) == first
    assert rows_of(PAIRED[variant], 8) != first
