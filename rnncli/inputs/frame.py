"""Frames of pandas, recognised without loading pandas: who has one has loaded it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from typing_extensions import TypeIs


def is_frame(source: Any) -> TypeIs[pd.DataFrame]:
    """Whether `source` is a pandas DataFrame."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(source, pandas.DataFrame)
