"""Which options of a decoder would do nothing, or can't work, for the data at hand. Nothing here needs torch."""

from __future__ import annotations

from collections.abc import Iterator

from rnncli.inputs.targets import Target
from rnncli.models.settings import ModelSettings

DRAWN_ONCE = ("variational", "recurrent", "weight")
"""Kinds of dropout whose masks stay the same over a sequence."""


def decoder_mistakes(settings: ModelSettings, target: Target) -> Iterator[str]:
    """A sentence for each option that can't serve a decoder of this target, with its dotted key."""
    options = settings.writing
    if not target.shared:
        for name in ("shared_embeddings", "copy_words"):
            if getattr(options, name):
                yield f"model.decoder.{name}: input and target share no vocabulary; data.shared_vocabulary: true"
    if not options.reads_forecast:
        yield "model.decoder.reads_forecast: is for forecasts; this target is a sequence of tokens"
    if options.shared_embeddings and options.embedding_size is not None:
        yield "model.decoder.embedding_size: with shared_embeddings it is model.embedding_size"
    if options.input_feeding:
        for name in DRAWN_ONCE:
            if getattr(settings.dropout, name):
                yield (
                    f"model.dropout.{name}: is the same at all steps, and with model.decoder.input_feeding each step "
                    "of the decoder is run by itself"
                )
    if target.from_one:
        yield from _with_one_step(settings)


def _with_one_step(settings: ModelSettings) -> Iterator[str]:
    """What does nothing where there is but one step to read."""
    options = settings.writing
    if settings.bidirectional:
        yield "model.bidirectional: there is one step to read, and a decoder writes in one direction"
    if options.bridge == "mean":
        yield "model.decoder.bridge: there is one step to read, so mean and final are the same; leave it out"
    for name in ("cell", "layers"):
        if getattr(options, name) is not None:
            yield f"model.decoder.{name}: there is no encoder beside the decoder; give model.{name} alone"
    if settings.learned_initial_state and options.bridge != "none":
        yield "model.learned_initial_state: the decoder starts from what was read (model.decoder.bridge)"


def forecast_decoder_mistakes(settings: ModelSettings, target: Target) -> Iterator[str]:
    """The same of a decoder of forecasts."""
    options = settings.writing
    for name in ("embedding_size", "shared_embeddings", "copy_words", "input_feeding", "coverage"):
        if options.changed(name):
            yield f"model.decoder.{name}: is for sequences of tokens; this target is of kind {target.kind}"
    if settings.pooling != "last":
        yield "model.pooling: a decoder begins from what model.decoder.bridge makes, so the steps are not pooled"
    if target.from_one:
        yield from _with_one_step(settings)
    if target.horizon % settings.patch:
        yield f"model.patch: a decoder writes whole patches, and {target.horizon} steps of data.horizon are none"
    if options.reads_forecast:
        for name in DRAWN_ONCE:
            if getattr(settings.dropout, name):
                yield (
                    f"model.dropout.{name}: is the same at all steps, and with model.decoder.reads_forecast each step "
                    "of the decoder is run by itself"
                )
