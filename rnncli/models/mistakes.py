"""Which options of a model would do nothing, or can't work, for the data at hand. Nothing here needs torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rnncli.cells.cell import make_cell
from rnncli.heads.choice import head_mistakes
from rnncli.heads.settings import CTCSettings
from rnncli.inputs.features import Categories, Feature, Images, Spelling, Tokens, Values
from rnncli.inputs.targets import Target
from rnncli.layers.image_settings import DEFAULT_IMAGE_ENCODER
from rnncli.layers.settings import SpecAugmentSettings
from rnncli.models.decoder_mistakes import decoder_mistakes, forecast_decoder_mistakes
from rnncli.models.settings import ModelSettings


def changed(settings: ModelSettings, *names: str) -> list[str]:
    """Those of the named options that differ from their default. (Whether they were given does not count: the config
    that a run keeps gives them all.)"""
    return [name for name in names if getattr(settings, name) != ModelSettings.model_fields[name].default]


def model_mistakes(
    settings: ModelSettings, features: Mapping[str, Feature], target: Target, context: int | None
) -> list[str]:
    """A sentence for each option that can't serve these features and this target, each with its dotted key.

    Args:
        context: steps of every window that a forecast is made from.
    """
    mistakes = [*_of_inputs(settings, list(features.values()), target), *_of_target(settings, features, target)]
    mistakes += _of_writing(settings, target)
    if target.kind == "sequence" and not isinstance(settings.head, CTCSettings):
        mistakes += decoder_mistakes(settings, target)
    if target.kind == "forecast":
        mistakes += _of_forecast(settings, target, context)
    else:
        idle = changed(settings, "window_normalization", "patch", "shared")
        if settings.skip != "last":
            idle += changed(settings, "skip")
        mistakes += [f"model.{name}: only forecasts use it; this target is of kind {target.kind}" for name in idle]
        if settings.skip == "last" and next_values(features, target) is None:
            mistakes.append("model.skip: only the numbers of the next step have last ones to add")
    return mistakes + (head_mistakes(settings.head, target) if settings.head else [])


def next_values(features: Mapping[str, Feature], target: Target) -> tuple[str, tuple[int, ...]] | None:
    """Where the target is the next step's numbers: the feature that has the present ones, and their columns."""
    if target.kind == "value" and target.per_step:
        for name, feature in features.items():
            if isinstance(feature, Values) and feature.targets:
                return name, feature.targets
    return None


def _of_inputs(settings: ModelSettings, features: list[Feature], target: Target) -> Iterator[str]:
    tokens = [feature for feature in features if isinstance(feature, Tokens)]
    spelled = any(isinstance(feature, Spelling) for feature in features)
    categories = any(isinstance(feature, Categories) for feature in features)
    widths = {feature.vectors.shape[1] for feature in tokens if feature.vectors is not None}
    if not tokens:
        for name in changed(settings, "embedding_size", "tied_embeddings") if target.kind != "sequence" else ():
            yield f"model.{name}: the inputs have no tokens to embed"
    for width in widths - {settings.embedding_size}:
        if changed(settings, "embedding_size"):
            yield f"model.embedding_size: {settings.embedding_size}, but the pretrained vectors have {width} numbers"
    if settings.freeze_vectors and not widths:
        yield "model.freeze_vectors: there are no pretrained vectors; give data.vectors"
    if settings.input_noise and not any(isinstance(feature, Values) for feature in features):
        yield "model.input_noise: the inputs have no numbers to add noise to"
    if settings.spec_augment is not None:
        yield from _of_masks(
            settings.spec_augment, [each.width for each in features if isinstance(each, Values)], target
        )
    if settings.image_encoder != DEFAULT_IMAGE_ENCODER and not any(isinstance(each, Images) for each in features):
        yield "model.image_encoder: the inputs have no images"
    if not categories:
        for name in changed(settings, "category_embedding_size"):
            yield f"model.{name}: the inputs have no categories"
    if not spelled:
        for name in changed(settings, "character_embedding_size", "character_hidden_size"):
            yield f"model.{name}: the inputs have no characters beside words"
    elif make_cell(settings.cell).graph.raw and not settings.cell.project:
        width, hidden = settings.character_embedding_size, settings.character_hidden_size
        if hidden != width:
            yield (
                f"model.character_hidden_size: {settings.cell.type} reads the input itself, so it must be that of "
                f"model.character_embedding_size ({width}), not {hidden}; model.cell.project: true puts a matrix in "
                "between"
            )
    if target.kind == "sequence" and not isinstance(settings.head, CTCSettings):
        return  # a decoder embeds what it writes
    if settings.dropout.word and not tokens and not spelled:
        yield "model.dropout.word: the inputs have no tokens to drop"
    if settings.dropout.embedding and not tokens and not spelled and not categories:
        yield "model.dropout.embedding: the inputs are numbers, nothing of them is embedded"


def _of_masks(settings: SpecAugmentSettings, widths: list[int], target: Target) -> Iterator[str]:
    if not widths:
        yield "model.spec_augment: the inputs have no numbers to hide"
    elif target.kind == "forecast":
        yield "model.spec_augment: is for spectra and other numbers that are not forecast"
    elif settings.frequency_masks and settings.frequency_width > min(widths):
        yield (
            f"model.spec_augment.frequency_width: {settings.frequency_width}, but a step has {min(widths)} numbers "
            "in all"
        )


def _of_target(settings: ModelSettings, features: Mapping[str, Feature], target: Target) -> Iterator[str]:
    if target.per_step and changed(settings, "pooling"):
        yield "model.pooling: the target has a value for each step, so the steps are not pooled"
    if settings.tied_embeddings and target.kind not in ("token", "sequence"):
        yield f"model.tied_embeddings: only the next token is predicted with it; this target is of kind {target.kind}"
    follows = target.kind in ("token", "frame") or next_values(features, target) is not None
    if settings.bidirectional and follows:
        yield "model.bidirectional: the target is the next step, which the backward direction would have read"


def _of_writing(settings: ModelSettings, target: Target) -> Iterator[str]:
    ctc = isinstance(settings.head, CTCSettings)
    if settings.decoder is not None:
        if ctc:
            yield "model.decoder: model.head.type: ctc writes without one; leave one of them out"
        elif target.kind not in ("sequence", "forecast"):
            yield f"model.decoder: it writes sequences and forecasts; this target is of kind {target.kind}"
    if changed(settings, "upsample") and not ctc:
        yield "model.upsample: only model.head.type: ctc needs as many steps as it writes tokens"
    if ctc and settings.tied_embeddings:
        yield "model.tied_embeddings: ctc writes other tokens than those that are read"
    if target.kind == "sequence" and changed(settings, "pooling"):
        yield "model.pooling: what is written goes by all steps, so they are not pooled"


def _of_forecast(settings: ModelSettings, target: Target, context: int | None) -> Iterator[str]:
    if settings.decoder is not None or target.from_one:
        yield from forecast_decoder_mistakes(settings, target)
    elif target.known_ahead:
        yield (
            "model.decoder: is missing; only a decoder reads what is known of the steps to come (data.future, "
            "data.calendar)"
        )
    if settings.shared and len(target.names) == 1:
        yield "model.shared: there is only one variable to forecast"
    if target.from_one:
        for name in changed(settings, "window_normalization", "skip"):
            yield f"model.{name}: there is no window to go by; the numbers are written from one step"
        return
    if context is not None and context % settings.patch:
        whole, left = divmod(context, settings.patch)
        fitting = [str(patches * settings.patch) for patches in (whole, whole + 1) if patches]
        yield (
            f"model.patch: {context} steps of context are {whole} patches of {settings.patch} and {left} steps more; "
            f"data.context {' or '.join(fitting)} would fit"
        )
    if settings.skip == "last":
        yield "model.skip: last is for the next step; for a forecast, window_normalization: last adds the last value"
    if settings.skip == "seasonal":
        if target.season == 1:
            yield "model.skip: the data have no season (it is 1 step); window_normalization: last adds the last value"
        elif context is not None and context < target.season:
            yield (
                f"model.skip: one season before lies outside the window, which has {context} steps of context; "
                f"a season has {target.season}"
            )
