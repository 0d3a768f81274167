"""The settings of each loader by its name: all that checking a config needs, free of torch."""

from __future__ import annotations

from rnncli.inputs.audio.settings import AudioSettings
from rnncli.inputs.captions.settings import CaptionsSettings
from rnncli.inputs.pairs.settings import PairsSettings
from rnncli.inputs.settings import DataSettings
from rnncli.inputs.synthetic.settings import SyntheticSettings
from rnncli.inputs.tagging.settings import TaggingSettings
from rnncli.inputs.text.settings import TextSettings
from rnncli.inputs.time_series.settings import TimeSeriesSettings

LOADER_SETTINGS: dict[str, type[DataSettings]] = {
    "text": TextSettings,
    "time-series": TimeSeriesSettings,
    "tagging": TaggingSettings,
    "captions": CaptionsSettings,
    "synthetic": SyntheticSettings,
    "audio": AudioSettings,
    "pairs": PairsSettings,
}
