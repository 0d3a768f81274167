"""Drawn examples as batches: the same again from the same seed, each part by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch

from rnncli.errors import ConfigError, RunError, UserError
from rnncli.inputs.batches import NO_TARGET, Batch, Dataset
from rnncli.inputs.features import Tokens, Values
from rnncli.inputs.synthetic import arithmetic, copying, memorization, temporal_order
from rnncli.inputs.synthetic.drawn import generator
from rnncli.inputs.synthetic.forms import form_of
from rnncli.inputs.synthetic.loader import SyntheticLoader
from rnncli.inputs.synthetic.settings import SyntheticSettings, TaskName
from rnncli.inputs.targets import TaskMode

NAMES = get_args(TaskName)
SIZES = {"train": 30, "valid": 12, "test": 7}


def loader_of(name: str, task: str | None = None, **options: Any) -> SyntheticLoader:
    if name != "digits":
        options = {"sizes": SIZES, **options}
    settings = SyntheticSettings.model_validate({"loader": "synthetic", "name": name, **options})
    return SyntheticLoader(settings, task or form_of(settings).mode)


def whole(data: Dataset, columns: int | None = None) -> Batch:
    """All of a part as one batch; of a stream one column with all its steps."""
    plan = data.plan(columns or (1 if data.unit == "tokens" else len(data)), None, 10**6)
    assert len(plan) == 1
    return data.batch(plan[0])


def numbers_of(data: Dataset) -> list[np.ndarray]:
    batch = whole(data)
    return [batch.sequences.values.numpy(), batch.targets.numpy(), batch.rows]


def same(one: Dataset, other: Dataset) -> bool:
    return all(np.array_equal(mine, yours) for mine, yours in zip(numbers_of(one), numbers_of(other), strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_draws_the_same_and_another_seed_something_else(name: str) -> None:
    first, again, other = (loader_of(name, seed=seed).load() for seed in (1, 1, 2))
    assert list(first) == ["train", "valid", "test"]
    for part in first:
        assert same(first[part], again[part])
        assert not same(first[part], other[part])


@pytest.mark.parametrize("name", [name for name in NAMES if name != "digits"])
def test_a_part_is_drawn_by_itself(name: str) -> None:
    one = loader_of(name).load()
    other = loader_of(name, sizes={"train": 5, "valid": 0, "test": 7}).load()
    assert list(other) == ["train", "test"]
    assert same(one["test"], other["test"])
    alike = loader_of(name, sizes={"train": 9, "valid": 9, "test": 9}).load()
    assert not same(alike["train"], alike["test"]) and not same(alike["valid"], alike["test"])


@pytest.mark.parametrize("name", NAMES)
def test_a_limit_cuts_each_part(name: str) -> None:
    parts = loader_of(name).load(limit=9)
    if name == "digits":
        assert [len(data) for data in parts.values()] == [9, 9, 9]
        expected = loader_of(name).load()["test"].targets[:9]
        np.testing.assert_array_equal(np.sort(parts["test"].targets), np.sort(expected))
    else:
        smaller = loader_of(name, sizes={"train": 9, "valid": 9, "test": 7}).load()
        assert all(same(parts[part], smaller[part]) for part in SIZES)


@pytest.mark.parametrize("name", NAMES)
def test_a_refit_learns_from_the_validation_part_too(name: str) -> None:
    loader, refitted = loader_of(name), loader_of(name)
    parts, joined = loader.load(), refitted.load(refit=True)
    assert list(joined) == ["train", "test"]
    assert same(joined["test"], parts["test"])
    assert len(joined["train"]) == len(parts["train"]) + len(parts["valid"])
    expected = [np.asarray(whole(parts[part]).targets) for part in ("train", "valid")]
    axis = 1 if joined["train"].unit == "tokens" else 0
    np.testing.assert_array_equal(whole(joined["train"]).targets, np.concatenate(expected, axis))
    if loader.target.counts:
        assert sum(refitted.target.counts) == sum((values != NO_TARGET).sum() for values in expected)


@pytest.mark.parametrize("name", NAMES)
def test_batches_fit_what_the_loader_says_of_them(name: str) -> None:
    loader = loader_of(name)
    batch = whole(loader.load()["train"])
    (feature,) = loader.features.values()
    inputs = batch.inputs[next(iter(loader.features))].values
    assert loader.files == []
    assert loader.target.per_step == (loader.task == "many-to-many")
    if isinstance(feature, Tokens):
        assert inputs.dtype == torch.int64 and feature.size == len(loader.target.names)
        assert inputs.min() >= 2 and inputs.max() < feature.size
    else:
        assert isinstance(feature, Values)
        assert inputs.dtype == torch.float32 and inputs.shape[2] == feature.width
    if loader.target.kind == "value":
        assert batch.targets.dtype == torch.float32 and batch.targets.shape == (30, 1)
    else:
        asked = batch.targets[batch.targets != NO_TARGET]
        counted = torch.bincount(asked, minlength=len(loader.target.names))
        assert batch.targets.dtype == torch.int64
        assert counted.tolist() == list(loader.target.counts)
        assert loader.target.partial == bool((batch.targets == NO_TARGET).any())


def test_symbols_are_one_hot() -> None:
    drawn = temporal_order.temporal_order(generator(1, "temporal-order", "test"), 7, 23, 3)
    loader = loader_of("temporal-order", length=23, symbols=3)
    data = loader.load()["test"]
    rows = np.array([5, 0, 3])
    batch = data.batch(rows)
    np.testing.assert_array_equal(batch.sequences.values, np.eye(6)[drawn.inputs[rows]])
    np.testing.assert_array_equal(batch.targets, drawn.targets[rows])
    assert batch.sequences.values.transpose(0, 1).is_contiguous()
    assert loader.target.names[drawn.targets[0]] in {"AAA", "AAB", "ABA", "ABB", "BAA", "BAB", "BBA", "BBB"}


def test_copy_has_a_class_at_every_step() -> None:
    drawn = copying.copy(generator(1, "copy", "valid"), 12, 6, True)
    batch = whole(loader_of("copy", length=6, scored="recalled").load()["valid"])
    np.testing.assert_array_equal(batch.targets, drawn.targets[batch.rows])
    np.testing.assert_array_equal(batch.sequences.values, np.eye(10)[drawn.inputs[batch.rows]])


@pytest.mark.parametrize("name", ["memorization", "arithmetic"])
def test_a_stream_asks_for_answers_alone(name: str) -> None:
    loader = loader_of(name)
    data = loader.load()["valid"]
    random = generator(1, name, "valid")
    if name == "memorization":
        drawn = memorization.memorization(random, 12, 5)
    else:
        drawn = arithmetic.arithmetic(random, 12, 8, 0.3)
    text = bytes(drawn.inputs).decode("ascii")
    batch = whole(data)
    names = np.array(loader.target.names)
    read = "".join(names[batch.sequences.values[0]])
    assert read == text[-1] + text[:-1]
    targets = batch.targets[0].numpy()
    found = [names[target] if target != NO_TARGET else None for target in targets]
    assert found == [c if asked else None for c, asked in zip(text, drawn.targets, strict=True)]
    assert loader.notes and f"valid {drawn.targets.mean():.1%}".replace("%", " %") in loader.notes[0]


def test_it_is_said_that_no_document_is_empty() -> None:
    loader = loader_of("xml")
    targets = whole(loader.load()["train"]).targets[0]
    read = "".join(loader.target.names[target] for target in targets)
    assert read.count("\n") == 30 and "\n\n" not in read
    assert any(note.startswith("empty documents") for note in loader.notes)


@pytest.mark.parametrize("name", NAMES)
def test_a_saved_loader_is_restored(name: str) -> None:
    loader, restored = loader_of(name), loader_of(name)
    loader.load()
    restored.restore(loader.state())
    assert (restored.target, restored.features) == (loader.target, loader.features)


@pytest.mark.parametrize("state", [{}, {"counts": 3}, {"counts": ["x"]}, {"counts": [1, 2]}])
def test_a_damaged_state_is_refused(state: dict[str, Any]) -> None:
    with pytest.raises(RunError, match="the saved state of the synthetic loader is damaged"):
        loader_of("digits").restore(state)


@pytest.mark.parametrize("name", NAMES)
def test_a_task_goes_with_its_mode_alone(name: str) -> None:
    mode = loader_of(name).task
    for other in set(get_args(TaskMode)) - {mode}:
        with pytest.raises(ConfigError, match=f"task: {name} of loader: synthetic is {mode}, not {other}"):
            loader_of(name, other)


def test_no_file_is_read() -> None:
    loader = loader_of("xml")
    for read in (lambda: loader.labelled(Path("x")), lambda: next(loader.chunks(Path("x"), print))):
        with pytest.raises(UserError, match=r"come from no file.*`rnncli eval RUN` measures its own parts"):
            read()
