"""A config file, with overrides, as settings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from rnncli.config.document import Document, Mistake
from rnncli.config.explaining import explain
from rnncli.config.overrides import Change
from rnncli.config.settings import Settings
from rnncli.errors import ConfigError

S = TypeVar("S", bound=Settings)


def read(
    path: Path,
    model: type[S],
    overrides: Sequence[str | Change] = (),
    wrong: Callable[[S], Iterable[Mistake]] = lambda settings: (),
) -> S:
    """The settings of a file, with overrides on top (`a.b=c`, or what another file asks for); what neither names has
    its default.

    Args:
        wrong: what is wrong with settings each part of which is valid.

    Raises:
        ConfigError: all mistakes of the file and the overrides.
    """
    document = Document(path, overrides)
    settings = None
    try:
        settings = model.model_validate(document.value, context=path.parent)
    except ValidationError as error:
        found = list(explain(error, model))
    else:
        found = list(wrong(settings))
    mistakes = document.report(found)
    if mistakes or settings is None:
        raise ConfigError(mistakes)
    return settings
