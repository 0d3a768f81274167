"""Studies of random values, to be reported."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnncli.ablation.analysis import Analysis, analyse
from rnncli.ablation.study import Claim, Row, Study, TaskOfStudy

NASTY = (
    "<script>alert('1')</script>",
    "a & b_c % d # e $x^2$ ~ {f} \\alpha | `g` *h* [i](j), k",
    'ünïcode 日本語 "quoted"; commas, and more',
    "_nolegend_",
    "a name that is much longer than any figure has room for, and ends in units=64",
)
"""Names that stand for something in HTML, LaTeX, Markdown, CSV or matplotlib."""


def make_study(
    variants: Sequence[str] = ("lstm", "gru", "rnn", "irnn"),
    tasks: Sequence[str] = ("jsb",),
    *,
    seeds: int = 5,
    trials: int | None = None,
    best: float | None = None,
    higher: bool = False,
    failed: frozenset[tuple[str, int]] | set[tuple[str, int]] = frozenset(),
    waiting: frozenset[tuple[str, int]] | set[tuple[str, int]] = frozenset(),
    published: Mapping[str, float] | None = None,
    claims: Sequence[Claim] = (),
    solved: float | None = None,
    name: str = "a study",
    reason: str = "the loss is not finite",
    scale: float = 1.0,
) -> Study:
    """Every run with values of its own; `failed` and `waiting` name a variant and a seed.

    Args:
        scale: factor between the values of a variant and those of the next.
    """
    rng = np.random.default_rng(len(variants) * 1000 + seeds)
    rows = []
    for task in tasks:
        for place, variant in enumerate(variants):
            for trial in range(1, trials + 1) if trials else [None]:
                for seed in range(1, seeds + 1):
                    state = "failed" if (variant, seed) in failed else "done"
                    state = "waiting" if (variant, seed) in waiting else state
                    value = float((8 + 0.1 * place + rng.normal(0, 0.1)) * scale**place)
                    curve = [
                        (100 * step, float(value + 2 * math.exp(-step) + rng.normal(0, 0.05))) for step in range(1, 7)
                    ]
                    changes = {"model.cell.type": variant, "model.sizes": [place, None, "x"]}
                    if not place:
                        changes["seed"] = seed + 7000
                    rows.append(
                        Row(
                            task,
                            variant,
                            trial,
                            seed,
                            state,
                            {"failed": reason, "done": "patience", "waiting": ""}[state],
                            value if state == "done" else None,
                            float(value + rng.normal(0, 0.1)) if state == "done" else None,
                            changes,
                            curve if state == "done" else [],
                            f"runs/{len(rows):03d}",
                            parameters=100_000 + int(rng.integers(1000)),
                            flops=200_000 + 1000 * place,
                            hidden_size=64 + place,
                            epochs=int(rng.integers(3, 30)),
                            steps=600,
                            seconds=float(rng.uniform(10, 90)),
                            engine="native",
                            threads=1,
                        )
                    )
    about = [
        TaskOfStudy(task, "test.accuracy" if higher else "test.nll", higher, variants[0], solved, published or {})
        for task in tasks
    ]
    return Study(name, about, variants, rows, claims, "Somebody & others 2017", best, ["parameters matched to 100,000"])


def small(
    values: Mapping[str, Any],
    *,
    metric: str = "test.nll",
    higher: bool = False,
    published: Mapping[str, Mapping[str, float]] | None = None,
    tasks: Sequence[str] = ("",),
    solved: float | None = None,
) -> Analysis:
    """A study of given values: task -> variant -> a value a seed, or one mapping for one task."""
    by_task = values if tasks != ("",) else {"": values}
    rows = [
        Row(task, name, None, seed, "failed" if value is None else "done", "why", value, value, {}, [], "p")
        for task, variants in by_task.items()
        for name, each in variants.items()
        for seed, value in enumerate(each)
    ]
    names = list(dict.fromkeys(name for variants in by_task.values() for name in variants))
    about = [TaskOfStudy(task, metric, higher, names[0], solved, (published or {}).get(task, {})) for task in by_task]
    return analyse(Study("s", about, names, rows, source="Them 2015"))
