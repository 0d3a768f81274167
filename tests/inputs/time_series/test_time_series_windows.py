"""Windows against loops over plain lists."""

import numpy as np
import pytest
import torch

from rnncli.inputs.time_series.forecasting import naive_error
from rnncli.inputs.time_series.windows import Timelines, Windows

LENGTHS, CONTEXT, HORIZON = (11, 17, 8), 4, 3


def timelines(missing: bool = False) -> Timelines:
    generator = np.random.default_rng(5)
    total = sum(LENGTHS)
    values = torch.from_numpy(generator.normal(size=(total, 5))).float()
    truth = values[:, :2].clone()
    if missing:
        truth[torch.from_numpy(generator.random(truth.shape) < 0.3)] = torch.nan
    return Timelines(
        values,
        {"day": torch.from_numpy(generator.integers(0, 9, total))},
        truth,
        np.concatenate([[0], np.cumsum(LENGTHS)]),
        generator.normal(100, 10, (3, 2)),
        generator.uniform(1, 5, (3, 2)),
    )


def windows(lines: Timelines, season: int = 1, known: bool = True) -> tuple[Windows, list[tuple[int, int]]]:
    """All windows, and of each its series and its first step within the series."""
    pairs = [(owner, start) for owner, length in enumerate(LENGTHS) for start in range(length - CONTEXT - HORIZON + 1)]
    owners = np.array([owner for owner, _ in pairs])
    starts = np.array([lines.offsets[owner] + start for owner, start in pairs])
    errors = np.arange(6.0).reshape(3, 2) + 1 if known else None
    return Windows(lines, starts, owners, CONTEXT, HORIZON, season, errors), pairs


def test_batches_equal_slices():
    lines = timelines()
    data, pairs = windows(lines)
    rows = np.array([16, 0, 3, 9, 5])
    batch = data.batch(rows)
    values = batch.inputs["values"]
    assert values.full and values.lengths.tolist() == [CONTEXT] * 5
    assert values.values.transpose(0, 1).is_contiguous()
    for position, row in enumerate(rows):
        owner, start = pairs[row]
        first = int(lines.offsets[owner]) + start
        assert torch.equal(values.values[position], lines.values[first : first + CONTEXT])
        assert torch.equal(batch.inputs["day"].values[position], lines.categories["day"][first : first + CONTEXT])
        ahead = first + CONTEXT
        assert torch.equal(batch.targets[position], lines.truth[ahead : ahead + HORIZON])
        np.testing.assert_allclose(batch.center[position, 0].numpy(), lines.center[owner], rtol=1e-6)
        np.testing.assert_allclose(batch.scale[position, 0].numpy(), lines.scale[owner], rtol=1e-6)
        assert batch.naive_error[position].tolist() == [2 * owner + 1, 2 * owner + 2]
    assert batch.center.shape == (5, 1, 2) and batch.rows is rows


def test_without_the_future_there_are_no_targets():
    data, _ = windows(timelines(), known=False)
    batch = data.batch(np.array([1, 2]))
    assert batch.targets is None and batch.naive_error is None and batch.scale.shape == (2, 1, 2)


@pytest.mark.parametrize("order", [None, 7])
def test_a_plan_has_every_window_once(order):
    data, pairs = windows(timelines())
    plan = data.plan(4, None if order is None else np.random.default_rng(order))
    assert sorted(np.concatenate(plan).tolist()) == list(range(len(pairs))) and {len(rows) for rows in plan} == {4, 2}
    assert (np.concatenate(plan).tolist() == list(range(len(pairs)))) == (order is None)


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("season", [1, 2, 3, 5, 9])
def test_naive_repeats_the_last_season(season, missing):
    """Season 2 is shorter than the horizon, 5 longer than the context, 9 longer than the beginning of most series."""
    lines = timelines(missing)
    data, pairs = windows(lines, season)
    found = data.naive(np.arange(len(pairs)))
    for row, (owner, start) in enumerate(pairs):
        first = int(lines.offsets[owner])
        own = lines.truth[first : first + LENGTHS[owner]].double().tolist()
        for column in range(2):
            known, last = [], 0.0
            for step in own:
                last = last if step[column] != step[column] else step[column]
                known.append(last * lines.scale[owner, column] + lines.center[owner, column])
            history = known[: start + CONTEXT]
            for ahead in range(HORIZON):
                if season <= len(history):
                    wanted = history[len(history) - season + ahead % season]
                else:
                    # One season before the step may still lie within the history.
                    back = len(history) + ahead - season
                    wanted = history[back] if 0 <= back < len(history) else history[-1]
                assert found[row, ahead, column] == pytest.approx(wanted, rel=1e-12)


def test_naive_error_is_the_mean_over_the_pairs_there_are():
    values = np.array([[1, 5.0], [4, np.nan], [2, 7], [8, 3], [3, 4]])
    np.testing.assert_allclose(naive_error(values, 2), [(1 + 4 + 1) / 3, (2 + 3) / 2])
    np.testing.assert_allclose(naive_error(values, 1), [(3 + 2 + 6 + 5) / 4, (4 + 1) / 2])
    np.testing.assert_allclose(naive_error(values, 5), naive_error(values, 1))
    assert np.isnan(naive_error(values[:1], 1)).all()
