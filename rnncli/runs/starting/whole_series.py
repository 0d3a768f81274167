"""Files of whole series: the .ts of UCR/UEA, and frames of active pitches in JSON."""

from __future__ import annotations

import json
from collections import Counter

from rnncli.errors import DataError, UserError
from rnncli.inputs.files import damage, open_binary
from rnncli.inputs.time_series import frames
from rnncli.runs.starting.draft import Draft, Line, training
from rnncli.runs.starting.head import LOOKED_AT, look
from rnncli.runs.starting.siblings import Parts


def draft_ts(parts: Parts, task: str | None) -> Draft:
    """A config for a .ts file.

    Raises:
        UserError: the file can't serve the task.
    """
    head = look(parts.train)
    lines = [line.strip() for line in head.filled if not line.startswith("#")]
    heads = [line.lower() for line in lines if line.startswith("@")]
    cases = [line for line in lines if not line.startswith("@")]
    if not cases:
        raise DataError("has no cases in its first lines", parts.train)
    keys = {"class": "@classlabel true", "value": "@targetlabel true"}
    kind = next((kind for kind, key in keys.items() if any(line.startswith(key) for line in heads)), None)
    if task == "one-to-one":
        raise UserError(f"{parts.train}: holds whole series, and task one-to-one reads one step; take many-to-one")
    count = head.count - (len(head.lines) - len(cases))
    dimensions = len(cases[0].split(":")) - (0 if kind is None else 1)
    lengths = [len(case.split(":")[0].split(",")) for case in cases]
    told = f"series of {_span(lengths)} steps with {dimensions} value{'s' if dimensions > 1 else ''} each"
    seen = head.seen("cases", count) if count > LOOKED_AT else f"all {count:,} cases"
    if task == "many-to-many":
        draft = Draft(Line("task", task, "the same values one step later"), seen)
        draft.data = [Line("target", {"kind": "next"}, told)]
        network(draft, parts, count, sum(lengths) / len(lengths), pooled=False)
        return draft
    if kind is None:
        raise UserError(
            f"{parts.train}: says neither classes (@classLabel true) nor values (@targetLabel true) to be found; "
            "--task many-to-many predicts the next step"
        )
    draft = Draft(Line("task", "many-to-one", f"a {kind} for each series"), seen)
    because = told
    if kind == "class":
        classes = Counter(case.rsplit(":", 1)[-1] for case in cases)
        because = f"{len(classes)} classes, {_span(list(classes.values()))} of each; {told}"
    draft.data = [Line("target", {"kind": kind}, because)]
    if any("?" in case or "nan" in case.lower() for case in cases):
        draft.data.append(Line("missing", "interpolate", "values are missing ('?')"))
    network(draft, parts, count, sum(lengths) / len(lengths))
    return draft


def _span(counts: list[int]) -> str:
    return str(min(counts)) if min(counts) == max(counts) else f"{min(counts)} to {max(counts)}"


def draft_frames(parts: Parts, task: str | None) -> Draft:
    """A config for lists of active pitches.

    Raises:
        UserError: the file can't serve the task.
    """
    if task in ("many-to-one", "one-to-one"):
        raise UserError(
            f"{parts.train}: holds frames with nothing beside them to predict, which task {task} needs; "
            "--task many-to-many predicts the next frame"
        )
    pieces, ready = _pieces(parts)
    pitches = [pitch for piece in pieces for step in piece for pitch in step]
    draft = Draft(Line("task", "many-to-many", "the next frame at each step"), f"all {len(pieces):,} pieces")
    told = f"the file itself has the parts {', '.join(ready)}" if ready else ""
    draft.data = [Line("target", {"kind": "next"}, told)]
    if pitches and not (min(pitches) >= 21 and max(pitches) <= 108):
        draft.data.append(Line("pitches", [min(pitches), max(pitches)], "the lowest and the highest"))
    network(draft, parts, len(pieces), sum(map(len, pieces)) / max(len(pieces), 1), pooled=False)
    draft.split = {name: share for name, share in draft.split.items() if name not in ready}
    return draft


def _pieces(parts: Parts) -> tuple[list[list[list[int]]], list[str]]:
    """The pieces of the training part, and the parts that the file holds."""
    ready = frames.parts(parts.train)
    try:
        with open_binary(parts.train) as file:
            content = json.loads(file.read())
    except damage() as error:
        raise DataError(f"is damaged or can't be read ({error})", parts.train) from None
    pieces = content["train"] if "train" in ready else content
    nested = isinstance(pieces, list) and all(isinstance(piece, list) for piece in pieces)
    if not nested or not all(isinstance(step, list) for piece in pieces for step in piece):
        raise DataError(
            "is JSON but no list of pieces, each a list of steps, each a list of pitches; JSON with one text a line is "
            "read as .jsonl",
            parts.train,
        )
    return pieces, ready


def network(draft: Draft, parts: Parts, count: int, steps: float, *, pooled: bool = True) -> None:
    """Model and training for whole series, drawn into parts as a whole."""
    small = count < 2000
    draft.split = parts.drawn(count)
    size = 64 if small else 128
    draft.model = [Line("cell", {"type": "lstm", "hidden_size": size}, f"about {count:,} series of {steps:.0f} steps")]
    if pooled:
        draft.model += [
            Line("bidirectional", True, "the whole series is there when it is read"),
            Line("pooling", "max", "of each feature what speaks loudest, at any step"),
        ]
    draft.training = schedule(count)


def schedule(count: int) -> list[Line]:
    """Options of training for so many examples: many small steps where they are few."""
    if count < 500:
        return training(epochs=100, patience=30, batch_size=4 if count < 200 else 16, learning_rate=0.003)
    small = count < 2000
    return training(epochs=40 if small else 10, patience=5, batch_size=16 if small else 64, learning_rate=0.003)
