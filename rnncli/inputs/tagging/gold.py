"""Tagged files read into memory, their tags as the model writes them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rnncli.errors import DataError, nearest
from rnncli.inputs.tagging.columns import Columns
from rnncli.inputs.tagging.corpus import Gathering, Part, Table
from rnncli.inputs.tagging.reader import Sentence, sentences
from rnncli.inputs.tagging.schemes import PREFIXES, belongs, from_bio, to_bio
from rnncli.inputs.tagging.settings import TaggingSettings


@dataclass(frozen=True)
class Gold:
    """One split as it was read.

    Attributes:
        repaired: tags that break the scheme of the file and were read as others.
        skipped: of sentences left out, what was wrong.
    """

    part: Part
    repaired: int
    skipped: Sequence[DataError]

    def notes(self, name: str, scheme: str) -> Iterable[str]:
        """What the user should know of it."""
        if self.repaired:
            yield (
                f"{name}: tags that break the scheme {scheme} (such as an I- after O) and were repaired: "
                f"{self.repaired:,}; where these are many, the file is of another scheme (data.scheme)"
            )
        if self.skipped:
            yield f"{name}: sentences that can't be read and were left out: {len(self.skipped):,}; {self.skipped[0]}"


def read_gold(
    paths: Sequence[Path],
    settings: TaggingSettings,
    columns_of: Callable[[Path], Columns],
    tokens: Table,
    tags: Table,
    *,
    known: Collection[str] | None = None,
    limit: int | None = None,
) -> Gold:
    """The sentences of some files.

    Args:
        tokens, tags: grow by what is met.
        known: the tags that may stand there; None for any.
        limit: sentences after which reading ends.

    Raises:
        DataError: a file is absent, damaged or without sentences, or a line can't be used.
    """
    gathering = Gathering(tokens, tags)
    skipped: list[DataError] = []
    repaired = 0

    def skip(bad: DataError) -> None:
        if not settings.skip_bad_rows:
            raise bad
        skipped.append(bad)

    for path in paths:
        before = len(gathering)
        columns = columns_of(path)
        for sentence in sentences(path, columns, settings.encoding, skip, tagged=True):
            if limit is not None and len(gathering) >= limit:
                break
            try:
                wanted, changed = _for_model(sentence, columns, settings, path)
                if known is not None:
                    _check_known(wanted, sentence, known, path)
            except DataError as bad:
                skip(bad)
                continue
            repaired += changed
            gathering.add([row[columns.token] for row in sentence.rows], wanted)
        if len(gathering) == before and (limit is None or before < limit):
            raise DataError("holds no sentence that can be read", path)
    return Gold(gathering.part(), repaired, skipped)


def _for_model(sentence: Sentence, columns: Columns, settings: TaggingSettings, path: Path) -> tuple[list[str], int]:
    """The tags in the scheme of the model, and how many of them were repaired."""
    tags = [row[columns.tag] for row in sentence.rows]
    scheme = settings.scheme
    if scheme == "none":
        return tags, 0
    for tag, line in zip(tags, sentence.lines, strict=True):
        if not belongs(tag, scheme):
            allowed = ", ".join(f"{prefix}-type" for prefix in PREFIXES[scheme])
            raise DataError(
                f"the tag {tag!r} is not of the scheme {scheme}, which knows O, {allowed} "
                "(data.scheme: none reads tags as they stand)",
                path,
                line,
            )
    bio = to_bio(tags)
    sound = from_bio(bio, scheme)
    return from_bio(bio, settings.train_scheme), sum(map(str.__ne__, tags, sound))


def _check_known(tags: list[str], sentence: Sentence, known: Collection[str], path: Path) -> None:
    for tag, line in zip(tags, sentence.lines, strict=True):
        if tag not in known:
            close = nearest(tag, known)
            hint = f"did you mean {close!r}? " if close else ""
            shown = ", ".join(sorted(known)[:10]) + (", ..." if len(known) > 10 else "")
            raise DataError(f"the run does not know the tag {tag!r}; {hint}it knows {shown}", path, line)
