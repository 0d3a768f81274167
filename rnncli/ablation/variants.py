"""The variants of an ablation: what each of them changes, and its name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any

from rnncli.ablation.settings import AblationSettings, Changes, ClaimSettings, flat, merged
from rnncli.config.writing import inline
from rnncli.errors import unknown


def variants(settings: AblationSettings) -> dict[str, Changes]:
    """Name -> dotted key -> value, in the order in which they are given.

    Raises:
        ValueError: two of them have the same name.
    """
    named = {name: flat(changes) for name, changes in settings.variants.items()} or {"": {}}
    if settings.one_at_a_time and isinstance(settings.baseline, dict):
        found = _one_at_a_time(settings.vary, flat(settings.baseline))
    else:
        found = [
            (
                _joined(name, settings.vary, values),
                merged(changes, flat(dict(zip(settings.vary, values, strict=True)))),
            )
            for name, changes in named.items()
            for values in product(*settings.vary.values())
        ]
    names = [name for name, _ in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two variants would be called {twice[0]!r}; give them names under variants")
    return dict(found)


def _one_at_a_time(axes: Mapping[str, Sequence[Any]], base: Changes) -> list[tuple[str, Changes]]:
    found = [("baseline", dict(base))]
    for key, values in axes.items():
        others = [value for value in values if value != base[key]]
        found += [(f"{_short(key, axes)}={_text(value)}", merged(base, flat({key: value}))) for value in others]
    return found


def _joined(name: str, axes: Mapping[str, Sequence[Any]], values: Sequence[Any]) -> str:
    """The name of a combination: the values alone of what names a kind, key=value of all else."""
    parts = [name] if name else []
    for key, value in zip(axes, values, strict=True):
        short = _short(key, axes)
        plain = len(axes) == 1 or short in ("type", "loader", "name")
        parts.append(_text(value) if plain else f"{short}={_text(value)}")
    return ", ".join(parts)


def _short(key: str, axes: Iterable[str]) -> str:
    """As much of the end of a key as tells it from the others."""
    steps = key.split(".")
    ends = (".".join(steps[start:]) for start in reversed(range(len(steps))))
    return next((end for end in ends if sum(f".{axis}".endswith(f".{end}") for axis in axes) == 1), key)


def _text(value: Any) -> str:
    if isinstance(value, Mapping) and "type" in value:
        rest = {key: other for key, other in value.items() if key != "type"}
        return f"{value['type']} {inline(rest)}" if rest else str(value["type"])
    return str(value) if isinstance(value, str) else inline(value)


def baseline_of(settings: AblationSettings, found: Mapping[str, Changes]) -> str:
    """The name of the variant that the others are compared with.

    Raises:
        ValueError: there is no such variant, or more than one.
    """
    wanted = settings.baseline
    if wanted is None or settings.one_at_a_time:
        return next(iter(found))
    if isinstance(wanted, str):
        if wanted not in found:
            raise ValueError(unknown("variant", wanted, found))
        return wanted
    plain = _leaves(wanted)
    fitting = [name for name, changes in found.items() if plain.items() <= _leaves(changes).items()]
    if len(fitting) != 1:
        which = "no variant has" if not fitting else f"{len(fitting)} variants have"
        raise ValueError(f"{which} {inline(wanted)}; the variants are {', '.join(found)}")
    return fitting[0]


def _leaves(changes: Mapping[str, Any]) -> Changes:
    """Dotted key -> value, down to values that are no mappings: however it is written."""
    found: Changes = {}
    for key, value in changes.items():
        below = _leaves(value) if isinstance(value, Mapping) and value else None
        found = merged(
            found, {key: value} if below is None else {f"{key}.{rest}": each for rest, each in below.items()}
        )
    return found


def order_of(claim: ClaimSettings, found: Mapping[str, Changes]) -> list[list[str]]:
    """The groups of a claim, from worst to best.

    Raises:
        ValueError: it names no variant, or is no order.
    """
    groups = [_names(group, found) for group in claim.order.split("<=" if "<=" in claim.order else "<")]
    names = [name for group in groups for name in group]
    mistakes = [unknown("variant", name, found) for name in names if name not in found]
    mistakes += [f"{claim.order!r} names {name!r} twice" for name in found if names.count(name) > 1]
    if "<=" in claim.order and "<" in claim.order.replace("<=", ""):
        mistakes = [f"{claim.order!r} mixes < and <=; make two claims of it"]
    if len(groups) < 2:
        mistakes.append(f"{claim.order!r} has no < between two variants")
    if mistakes:
        raise ValueError("; ".join(mistakes))
    return groups


def _names(group: str, found: Mapping[str, Changes]) -> list[str]:
    """The names in a group, the longest first: a comma may be part of a name."""
    pieces, names = [piece.strip() for piece in group.split(",")], []
    while pieces:
        length = next((end for end in range(len(pieces), 0, -1) if ", ".join(pieces[:end]) in found), 1)
        names.append(", ".join(pieces[:length]))
        pieces = pieces[length:]
    return names
