"""The whole of a configuration."""

from __future__ import annotations

from typing import Annotated

from rnncli.config.settings import Settings
from rnncli.decoding.settings import GREEDY, DecodingSettings
from rnncli.inputs.catalogue import LOADER_SETTINGS
from rnncli.inputs.settings import DataSettings
from rnncli.inputs.targets import TaskMode
from rnncli.models.settings import ModelSettings
from rnncli.registry import ChosenBy
from rnncli.training.settings import TrainingSettings


class RunConfig(Settings):
    """What to learn, from which data, with which model, trained how."""

    task: TaskMode
    """one-to-one: one step in, one answer; one-to-many: one step (a class, a vector, an image) in, a sequence out;
    many-to-one: a sequence in, one answer; many-to-many: an answer for each step, or a sequence that follows."""

    data: Annotated[DataSettings, ChosenBy("loader", lambda: dict(LOADER_SETTINGS))]
    """The kind of data, where they are, and how they are read."""

    model: ModelSettings
    """What reads them and predicts."""

    training: TrainingSettings = TrainingSettings()
    """How the model is trained."""

    decoding: DecodingSettings = GREEDY
    """How sequences are written for the test part and in predictions; the validation part of each epoch is decoded
    greedily."""
