"""Numbers in the cells of a table."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rnncli.inputs.features import LARGEST


def number(cell: str, column: str | None) -> float:
    """The number in a cell of a column.

    Raises:
        ValueError: it holds no finite number; says where.
    """
    try:
        found = float(cell)
    except ValueError:
        found = math.nan
    if not abs(found) <= LARGEST:
        raise ValueError(f"column {column!r} holds {cell!r} where a finite number is needed")
    return found


def numbers(cells: Sequence[str], columns: Sequence[str]) -> tuple[float, ...]:
    """The numbers in the cells of some columns.

    Raises:
        ValueError: one of them holds none; says which.
    """
    return tuple(number(cell, column) for cell, column in zip(cells, columns, strict=True))
