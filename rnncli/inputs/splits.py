"""The seeded draw of parts that have no file of their own."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path

import numpy as np

from rnncli.errors import DataError


def draw(
    keys: Sequence[Hashable],
    classes: Sequence[int] | np.ndarray | None,
    shares: Mapping[str, float],
    seed: int,
    path: Path | None = None,
) -> dict[str, np.ndarray]:
    """Positions of the rows of each part, ascending: those of `shares`, and "train", which gets the rest.

    Rows with equal keys fall into one part. Each class is drawn on its own, what rounding leaves over is carried to
    the next class, and every class keeps rows in the training part.

    Args:
        classes: one for each key; of rows with equal keys the rarest one's counts. None: one class for all.
        path: where the rows stand, for messages.
        shares: part -> share of the rows; parts with the share 0 stay empty.

    Raises:
        DataError: too few rows for a part to get any.
    """
    first: dict[Hashable, int] = {}
    groups = np.fromiter((first.setdefault(key, len(first)) for key in keys), np.int64, len(keys))
    sizes = np.bincount(groups, minlength=len(first))
    kinds = np.zeros(len(first), np.int64)
    if classes is not None:
        of_rows = np.asarray(classes, np.int64)
        rarest_last = np.argsort(-np.bincount(of_rows)[of_rows], kind="stable")
        kinds[groups[rarest_last]] = of_rows[rarest_last]
    parts = ["train", *shares]
    part_of = np.zeros(len(first), np.int64)
    # At least one row is wanted of each part, however small its share.
    carried = {part: max(0.0, 1 - share * len(keys)) if share else 0.0 for part, share in shares.items()}
    generator = np.random.Generator(np.random.PCG64(seed))
    order = generator.permutation(len(first))
    order = order[np.argsort(kinds[order], kind="stable")]
    for members in np.split(order, np.flatnonzero(np.diff(kinds[order])) + 1):
        rows = int(sizes[members].sum())
        left = list(members)
        for number, (part, share) in enumerate(shares.items(), 1):
            wanted = share * rows + carried[part]
            taken = 0
            kept: list[np.int64] = []
            for group in left:
                # Groups that would overshoot stay, and so does the last group of a class: training needs it.
                if (kept or group != left[-1]) and taken + sizes[group] <= wanted + 0.5:
                    taken += int(sizes[group])
                    part_of[group] = number
                else:
                    kept.append(group)
            left = kept
            carried[part] = wanted - taken
    placed = part_of[groups]
    drawn = {part: np.flatnonzero(placed == number) for number, part in enumerate(parts)}
    for part, share in shares.items():
        if share and not len(drawn[part]):
            raise DataError(
                f"too few examples to hold out a share of {share:g} for {part}: {len(keys)}, {len(first)} of them "
                f"distinct; give more, or a file of its own (data.{part})",
                path,
            )
    return drawn
