"""What the columns of a line mean."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from rnncli.errors import UserError, unknown
from rnncli.inputs.files import suffix
from rnncli.inputs.tagging.settings import TaggingSettings

CONLLU = ("ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC")
"""The columns of CoNLL-U (https://universaldependencies.org/format.html, version 2)."""

BLANKS = re.compile(r"[ \t]+")
"""Other white space, such as the no-break space, may be part of a token."""


@dataclass(frozen=True)
class Columns:
    """How a line is cut, and which of its columns hold token and tag (negative from the end)."""

    conllu: bool
    separator: str | None
    comment: str | None
    token: int
    tag: int

    @classmethod
    def of(cls, settings: TaggingSettings, conllu: bool) -> Columns:
        """The columns that the settings name, in a file of that format.

        Raises:
            UserError: there is no column of that name.
        """
        if conllu:
            token = _position(settings.token_column, "FORM", "token_column")
            return cls(True, "\t", "#", token, _position(settings.tag_column, "UPOS", "tag_column"))
        token = _number(settings.token_column, 0, "token_column")
        return cls(False, settings.separator, settings.comment, token, _number(settings.tag_column, -1, "tag_column"))

    def split(self, text: str) -> list[str]:
        return BLANKS.split(text.strip(" \t")) if self.separator is None else text.split(self.separator)

    def keys(self, width: int) -> list[str]:
        """What the columns of a line of that many are called in a predictions file."""
        return list(CONLLU) if self.conllu and width > 1 else [f"column_{number}" for number in range(1, width + 1)]


def is_conllu(settings: TaggingSettings, path: Path) -> bool | None:
    """Whether a file is CoNLL-U; None where neither the settings nor its name says."""
    if settings.format != "auto":
        return settings.format == "conllu"
    return True if suffix(path) == ".conllu" else None


def _position(column: int | str | None, default: str, setting: str) -> int:
    if isinstance(column, int):
        return column
    if (column or default) not in CONLLU:
        raise UserError(f"data.{setting}: {unknown('column of CoNLL-U', column or default, CONLLU)}")
    return CONLLU.index(column or default)


def _number(column: int | str | None, default: int, setting: str) -> int:
    if isinstance(column, str):
        raise UserError(
            f"data.{setting}: columns have names, such as {column!r}, in CoNLL-U only (data.format: conllu); "
            "give the column's number from 0"
        )
    return default if column is None else column
