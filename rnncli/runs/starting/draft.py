"""A config as it is written by `rnncli init`: keys, values, and beside them what was seen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rnncli.config.writing import inline

_WIDEST = 120
_FARTHEST = 52
"""The last column at which comments of a section may begin."""


class Line(NamedTuple):
    """One option and what its value rests on; nothing where the value says all."""

    key: str
    value: Any
    because: str = ""


@dataclass
class Draft:
    """A config before it is text.

    Attributes:
        seen: what of the file was looked at.
        data: without the loader and the files.
        split: options of data.split for the parts that have no file of their own.
    """

    task: Line
    seen: str
    data: list[Line] = field(default_factory=list)
    split: dict[str, Any] = field(default_factory=dict)
    split_because: str = "no files of their own stand beside it"
    model: list[Line] = field(default_factory=list)
    training: list[Line] = field(default_factory=list)


def training(
    *, epochs: int, patience: int, batch_size: int, learning_rate: float, bptt_steps: int | None = None
) -> list[Line]:
    """The lines of the section training."""
    said = [
        Line("epochs", epochs),
        Line("patience", patience, "stop when so many epochs brought nothing on the validation part"),
        Line(
            "batch_size", batch_size, "" if bptt_steps is None else "the text is read in so many columns side by side"
        ),
    ]
    if bptt_steps is not None:
        said.append(Line("bptt_steps", bptt_steps, "steps between two updates; the state is carried on"))
    return [*said, Line("learning_rate", learning_rate), Line("clip_norm", 1.0)]


def text_of(draft: Draft, name: str, source: str, loader: str, files: list[Line]) -> str:
    """The whole config, for a file `name`."""
    split = [Line("split", draft.split, draft.split_because)] if draft.split else []
    data = [Line("loader", loader), *files, *draft.data, *split]
    body = _lines([draft.task], "")
    for section, lines in (("data", data), ("model", draft.model), ("training", draft.training)):
        body += ["", f"{section}:", *_lines(lines, "  ")]
    lines_of_sections = "\n".join(body)
    return f"""\
# Written by rnncli init, which looked at {draft.seen} of {_plain(source)}.
# Comments say what a guess rests on. All options with their help: rnncli describe options
#
#     rnncli check {name}
#     rnncli train {name}

{lines_of_sections}
"""


def _lines(lines: list[Line], indent: str) -> list[str]:
    """Options with their comments beside them, those that don't fit there above."""
    options = [f"{indent}{line.key}: {inline(line.value)}" for line in lines]
    comments = [_plain(line.because) for line in lines]
    start = 2 + max((len(option) for option in options if len(option) + 2 <= _FARTHEST), default=0)
    written = []
    for option, comment in zip(options, comments, strict=True):
        column = max(start, len(option) + 2)
        if comment and column + 2 + len(comment) > _WIDEST:
            written += [f"{indent}# {comment}", option]
        else:
            written.append(f"{option:<{column}}# {comment}" if comment else option)
    return written


def _plain(text: str) -> str:
    """Text that stays on its line, whatever stood in the file."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
