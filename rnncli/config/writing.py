"""Settings and single values as YAML that reads back to the same."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Any

import yaml

from rnncli.config.settings import Settings
from rnncli.config.yaml12 import CORE, Dumper

_WIDEST = 120
_LONGEST_SHOWN = 60


def write(settings: Settings) -> str:
    """All values of the settings, defaults included, as YAML that `read` turns into an equal object."""
    values = settings.model_dump(by_alias=True)
    return yaml.dump(values, Dumper=_PlainDumper, sort_keys=False, allow_unicode=True, width=_WIDEST)


def inline(value: Any) -> str:
    """One value on one line of YAML."""
    text: str = yaml.dump(
        value, Dumper=_PlainDumper, default_flow_style=True, sort_keys=False, allow_unicode=True, width=float("inf")
    )
    return text.removesuffix("\n").removesuffix("\n...")


def shown(value: Any) -> str:
    """A value as a message shows it: quoted where it is text, cut where it is long."""
    text = repr(str(value)) if isinstance(value, str) else inline(value)
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 3] + "..."


class _PlainDumper(Dumper):
    """Writes the types that settings hold as the plain ones that stand for them in a config."""


def _text(dumper: yaml.SafeDumper, value: object) -> yaml.ScalarNode:
    """YAML folds the line breaks of Unicode unless they are escaped."""
    text = str(value)
    style = '"' if any(character in text for character in "\x85\u2028\u2029") else None
    return dumper.represent_scalar(f"{CORE}str", text, style)


for _textual in (str, Path):
    _PlainDumper.add_multi_representer(_textual, _text)
_PlainDumper.add_representer(str, _text)
_PlainDumper.add_multi_representer(Enum, lambda dumper, value: dumper.represent_data(value.value))
for _collection in (tuple, set, frozenset):
    _PlainDumper.add_representer(_collection, lambda dumper, value: dumper.represent_list(list(value)))
