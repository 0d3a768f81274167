"""From settings to a model."""

from __future__ import annotations

from collections.abc import Mapping

from rnncli.cells.drawing import Streams
from rnncli.errors import ConfigError
from rnncli.heads.settings import CTCSettings
from rnncli.inputs.features import Feature
from rnncli.inputs.targets import Target
from rnncli.models.curve import Curve
from rnncli.models.encoder_decoder import EncoderDecoder
from rnncli.models.forecaster import Forecaster
from rnncli.models.mistakes import model_mistakes
from rnncli.models.model import Model, SequenceModel
from rnncli.models.settings import ModelSettings
from rnncli.models.starting import start
from rnncli.models.transcriber import Transcriber


def build_model(
    settings: ModelSettings, features: Mapping[str, Feature], target: Target, *, context: int | None = None
) -> Model:
    """A new model for the features and the target of the data.

    Of torch's generator it takes one number, whatever the model is; models that are built from the same one start alike
    wherever the names of their parameters, the blocks of their cells and the shapes agree.

    Args:
        context: steps of every window that a forecast is made from.

    Raises:
        ConfigError: options that can't serve this data, all of them.
    """
    mistakes = model_mistakes(settings, features, target, context)
    if mistakes:
        raise ConfigError(mistakes)
    streams = Streams()
    with streams.named("model"):
        model = _model(settings, features, target, context)
        start(model, streams, settings.initialization, settings.cell.hidden_size)
    return model


def _model(settings: ModelSettings, features: Mapping[str, Feature], target: Target, context: int | None) -> Model:
    if target.kind == "sequence" and isinstance(settings.head, CTCSettings):
        return Transcriber(settings, settings.head, features, target)
    if target.kind == "sequence":
        return EncoderDecoder(settings, features, target)
    if target.kind != "forecast":
        return SequenceModel(settings, features, target)
    if target.from_one:
        return Curve(settings, features, target)
    if context is None:
        raise ValueError("a forecaster needs the context of its windows")
    return Forecaster(settings, features, target, context)
