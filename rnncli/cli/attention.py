"""`rnncli predict --attention`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rnncli.errors import UserError
from rnncli.inputs.files import OnBadRow

if TYPE_CHECKING:
    from rnncli.inputs.loader import Source
    from rnncli.runs.load import LoadedRun

SUFFIXES = (".html", ".png")

Attention = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Write where the decoder looks for each token, of the first inputs: .html or .png."
    ),
]


def check_attention(file: Path | None, input: Path, at_once: bool) -> None:
    """Raises a UserError where --attention asks for what can't be, or does not go with what else was asked for."""
    if file is None:
        return
    if file.suffix.lower() not in SUFFIXES:
        raise UserError(f"--attention {file}: is written as {' or '.join(SUFFIXES)}; give it a name that ends so")
    if at_once:
        raise UserError(
            f"--attention {file}: would be there only at the end; with --stream each row is answered at once"
        )
    if not file.parent.is_dir():
        raise UserError(f"--attention {file}: there is no folder {file.parent}")
    if file.exists() and input.exists() and file.samefile(input):
        raise UserError(f"--attention {file}: is the input itself; name another file")


@contextmanager
def attention_beside(
    file: Path | None, run: LoadedRun, source: Source, on_bad_row: OnBadRow, probabilities: bool, quiet: bool
) -> Iterator[Iterator[Mapping[str, Any]]]:
    """The rows of the predictions; once they have been read the file is written, if there is to be one.

    Raises:
        RunError: nothing in the run attends to anything.
        MissingExtra: a package that makes the file is not installed.
    """
    if file is None:
        yield run.rows(source, on_bad_row, probabilities)
        return
    from rnncli.runs import attention_figure, attention_page
    from rnncli.runs.attention import Looks
    from rnncli.runs.whole_files import write_whole

    made = attention_figure if file.suffix.lower() == ".png" else attention_page
    made.check()  # what is missing is told now, and not when all is predicted
    looks = Looks(run, made.MOST)
    yield run.rows(source, on_bad_row, probabilities, looks.see)
    if not looks.found:
        typer.echo(f"--attention {file}: not written, there is no input to show", err=True)
        return
    write_whole(file, made.content(looks))
    if not quiet:
        left_out = f"; {looks.left_out:,} left out" if looks.left_out else ""
        typer.echo(f"attention of {len(looks.found):,} inputs in {file}{left_out}", err=True)
