"""Which files are of which part, by what is known of them before they are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice, zip_longest

from rnncli.errors import UserError, nearest
from rnncli.inputs.audio.entries import Entry
from rnncli.inputs.loader import SplitName
from rnncli.inputs.tables import require


def column(entry: Entry, name: str, setting: str) -> str:
    """What a column of an entry holds.

    Raises:
        DataError: it has no such column; names the nearest.
    """
    require(entry.columns, [name], entry.place, setting)
    return entry.columns[name]


def parted(
    found: Sequence[Entry], chosen: Mapping[SplitName, Mapping[str, Sequence[str | int]]]
) -> dict[SplitName, list[Entry]]:
    """The entries of each part: those whose columns hold the values that choose it, and the others, in "train".

    Raises:
        UserError: a value that no file has, or a file that two parts choose.
    """
    parts: dict[SplitName, list[Entry]] = {"train": [], **{part: [] for part in chosen}}
    for part, wanted in chosen.items():
        for name, values in wanted.items():
            present = {column(entry, name, f"data.split.{part}") for entry in found}
            for value in map(str, values):
                if value not in present:
                    close = nearest(value, present)
                    hint = f"; did you mean {close!r}?" if close else ""
                    raise UserError(f"data.split.{part}: no file has the {name} {value!r}{hint}")
    for entry in found:
        fitting = [
            part
            for part, wanted in chosen.items()
            if all(entry.columns[name] in map(str, values) for name, values in wanted.items())
        ]
        if len(fitting) > 1:
            raise UserError(f"data.split: {entry.place} is chosen for {' and for '.join(fitting)}")
        parts[fitting[0] if fitting else "train"].append(entry)
    for part, its in parts.items():
        if not its:
            raise UserError(f"data.split: no file is left for the {part} part")
    return parts


def some(found: Sequence[Entry], limit: int | None, kinds: str | None) -> list[Entry]:
    """At most `limit` entries: an equal share of each value of the column `kinds`, or evenly from first to last."""
    if limit is None or len(found) <= limit:
        return list(found)
    if kinds is None:
        return [found[number * len(found) // limit] for number in range(limit)]
    by_kind: dict[str, list[Entry]] = {}
    for entry in found:
        by_kind.setdefault(entry.columns.get(kinds, ""), []).append(entry)
    turns = (entry for turn in zip_longest(*by_kind.values()) for entry in turn if entry is not None)
    return list(islice(turns, limit))
