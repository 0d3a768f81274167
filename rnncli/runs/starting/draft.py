"""A config as it is written by `rnncli init`: keys, values, and beside them what was seen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rnncli.config.writing import inline

_WIDEST = 110
_COMMENT_COLUMN = 44


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


def text_of(draft: Draft, name: str, source: str, loader: str, files: list[Line]) -> str:
    """The whole config, for a file `name`."""
    split = [Line("split", draft.split, draft.split_because)] if draft.split else []
    data = [Line("loader", loader), *files, *draft.data, *split]
    head = [
        f"# Check it:  rnncli check {name}",
        f"# Train it:  rnncli train {name}",
        f"# Written by rnncli init, which looked at {draft.seen} of {_plain(source)}; a comment says what a guess rests on.",
        "",
    ]
    body = [*_lines([draft.task], "")]
    for section, lines in (("data", data), ("model", draft.model), ("training", draft.training)):
        body += [f"{section}:", *_lines(lines, "  ")]
    return "\n".join([*head, *body]) + "\n"


def _lines(lines: list[Line], indent: str) -> list[str]:
    written = []
    for line in lines:
        option = f"{indent}{line.key}: {inline(line.value)}"
        because = _plain(line.because)
        if not because:
            written.append(option)
        elif len(option) + 3 + len(because) <= _WIDEST:
            column = max(min(_COMMENT_COLUMN, _WIDEST - 2 - len(because)), len(option) + 2)
            written.append(f"{option:<{column}}# {because}")
        else:
            written += [f"{indent}# {because}:", option]
    return written


def _plain(text: str) -> str:
    """Text that stays on its line, whatever stood in the file."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
