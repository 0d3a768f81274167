"""Options of the tagging loader."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from rnncli.config.paths import InputPath
from rnncli.inputs.settings import FileSettings, SplitSettings


class TaggingSettings(FileSettings):
    """Sentences with a tag for each token, in columns."""

    loader: Literal["tagging"]

    format: Literal["auto", "conll", "conllu"] = "auto"
    """Columns with blank lines between sentences, or Universal Dependencies; auto takes a file called .conllu for the
    latter."""

    separator: str | None = Field(None, min_length=1)
    """What stands between columns; spaces and tabs where not given."""

    token_column: int | str | None = None
    """Column of the token: its number from 0 (negative from the end), or its name in CoNLL-U; where not given, the
    first, and FORM in CoNLL-U."""

    tag_column: int | str | None = None
    """Column of the tag: its number from 0 (negative from the end), or its name in CoNLL-U (XPOS, DEPREL); where not
    given, the last, and UPOS in CoNLL-U."""

    comment: str | None = Field(None, min_length=1)
    """Lines that begin with this are no data; so is in CoNLL-U what begins with #."""

    scheme: Literal["none", "BIO", "IOB1", "BIOES"] = "none"
    """How the tags of the file write spans; none where a tag stands for itself."""

    train_scheme: Literal["BIO", "BIOES"] = "BIO"
    """How spans are written for the model; tags of another scheme are converted."""

    lowercase: bool = False
    """Lower-case the tokens (characters and capitals are taken from the token as it stands)."""

    digits: bool = False
    """Read every digit of a token as 0."""

    min_count: int = Field(1, ge=1)
    """Tokens seen less often in the training part count as unknown."""

    characters: bool = False
    """Read each token's characters beside the token."""

    capitals: bool = False
    """Tell the model how each token is capitalised."""

    vectors: InputPath | None = None
    """Pretrained vectors in the text format of GloVe or word2vec."""

    split: SplitSettings = SplitSettings()

    def idle(self) -> Iterator[str]:
        if self.scheme == "none" and self.changed("train_scheme"):
            yield "train_scheme: needs the scheme that the tags of the files are written in (data.scheme)"
        yield from self.idle_split(self.split)
