"""Settings of the time-series loader for the tests of this folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rnncli.inputs.time_series.settings import TimeSeriesSettings


def settings(**options: object) -> TimeSeriesSettings:
    return TimeSeriesSettings.model_validate({"loader": "time-series", "train": [Path("train")], **options})


def forecast(*columns: str, **options: object) -> TimeSeriesSettings:
    return settings(target={"kind": "forecast", "columns": list(columns)}, **options)


def real(*parts: str) -> Path:
    """A file of the real data; skips where there are none."""
    root = os.environ.get("RNNCLI_DATA")
    if not root:
        pytest.skip("RNNCLI_DATA is not set")
    return Path(root).joinpath(*parts)
