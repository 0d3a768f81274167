"""How texts that are written, or read beside them, are normalised and cut. Nothing here needs torch."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from pydantic import Field, field_validator

from rnncli.config.settings import Settings
from rnncli.inputs.targets import SPACE, Units


class CutSettings(Settings):
    """How a text is cut."""

    units: Units = "word"
    """What a text is cut into: words at white space, characters (code points), graphemes (what a reader sees as one
    character) or pieces of a sentencepiece model."""

    sentencepiece_size: int = Field(8000, ge=8)
    """Pieces of the sentencepiece model that is trained on the training part."""

    lowercase: bool = False
    """Lower-case every text."""

    remove: str | None = None
    """Regular expression of what is taken out of every text before it is cut, after lowercase."""

    min_count: int = Field(1, ge=1)
    """Units seen less often in the training part count as unknown."""

    @field_validator("remove")
    @classmethod
    def _is_expression(cls, value: str | None) -> str | None:
        try:
            re.compile(value or "")
        except re.error as error:
            raise ValueError(f"{value!r} is no regular expression: {error}") from None
        return value

    def cut_idly(self, side: str) -> Iterator[str]:
        """Of the options that say how a text is cut, those that do nothing."""
        if self.changed("sentencepiece_size") and self.units != "sentencepiece":
            yield f"{side}.sentencepiece_size: is for units: sentencepiece"


class TargetSettings(CutSettings):
    """The text that is to be written."""

    column: str = "target"
    """Column of a table that holds it."""

    max_length: int | None = Field(None, ge=1)
    """Training pairs with more units are left out; the other parts are not cut."""


def prepared(text: str, settings: CutSettings) -> str:
    """A text in Unicode's NFC, lower-cased and without what is to be removed.

    White space at its ends is taken away and, where words or pieces are cut, each other run of it is one space: what
    is made of words and pieces can't say more. The mark of pieces for a space counts as one.
    """
    text = unicodedata.normalize("NFC", text)
    if settings.lowercase:
        text = text.lower()
    if settings.remove is not None:
        text = re.sub(settings.remove, "", text)
    if settings.units == "sentencepiece":
        text = text.replace(SPACE, " ")
    return " ".join(text.split()) if settings.units in ("word", "sentencepiece") else text.strip()
