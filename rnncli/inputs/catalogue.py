"""The settings of each loader by its name: all that checking a config needs, free of torch."""

from __future__ import annotations

from rnncli.inputs.settings import DataSettings
from rnncli.inputs.synthetic.settings import SyntheticSettings
from rnncli.inputs.tagging.settings import TaggingSettings
from rnncli.inputs.text.settings import TextSettings
from rnncli.inputs.time_series.settings import TimeSeriesSettings

LOADER_SETTINGS: dict[str, type[DataSettings]] = {
    "text": TextSettings,
    "time-series": TimeSeriesSettings,
    "tagging": TaggingSettings,
    "synthetic": SyntheticSettings,
}
