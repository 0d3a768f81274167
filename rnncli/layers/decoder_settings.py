"""Options of decoders; importing them does not import torch."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from rnncli.cells.cell import AnyCell
from rnncli.config.settings import Settings

AttentionName = Literal["none", "additive", "multiplicative"]


class DecoderSettings(Settings):
    """The recurrent layers that write the output, and how they look at what was read."""

    cell: AnyCell | None = None
    """What a layer of the decoder computes at each step; as the encoder's where not given."""

    layers: int | None = Field(None, ge=1)
    """Recurrent layers of the decoder; as many as the encoder's where not given."""

    embedding_size: int | None = Field(None, ge=1)
    """Numbers in the vector of a token that was written; as the encoder's where not given."""

    shared_embeddings: bool = False
    """One embedding for the tokens that are read and those that are written; needs data.shared_vocabulary."""

    bridge: Literal["final", "mean", "none"] = "final"
    """What the first state is made from by a linear map: the last states of the encoder in both directions, or the mean
    of its outputs (Bahdanau et al. 2015 take a part, Sennrich et al. 2017 the mean); none starts from zeros."""

    attention: AttentionName = "multiplicative"
    """How the decoder weighs what was read: a small network (additive, Bahdanau et al. 2015), a bilinear form
    (multiplicative, Luong et al. 2015), or not at all. Of a single step, as a class is, each step of the decoder finds
    the whole."""

    attention_size: int | None = Field(None, ge=1)
    """For additive: units of the small network; the hidden size where not given."""

    input_feeding: bool = False
    """Read, beside the token before, what the attention found for it (Luong et al. 2015). Training then goes step by
    step, which takes longer."""

    coverage: float = Field(0.0, ge=0, allow_inf_nan=False)
    """For additive with input_feeding: the attention sees how much attention each position has had, and looking twice
    costs so much in the loss (See et al. 2017); 0 is without."""

    copy_words: bool = False
    """Mix the output with a copy of the tokens that are attended to (See et al. 2017); needs data.shared_vocabulary,
    and copies what that has: a token unknown to it is copied as unknown."""

    reads_forecast: bool = True
    """For forecasts: read the numbers written for the step before, in training the true ones; otherwise only where in
    the horizon the step stands, and what is known of it."""

    scheduled_sampling: float = Field(0.0, ge=0, le=1)
    """Share of what the decoder reads in training that are its own guesses (Bengio et al. 2015). Tokens are read in one
    go without input_feeding, and the guesses are then those of a first pass over the right ones (Mihaylova & Martins
    2019)."""

    scheduled_sampling_steps: int = Field(1000, ge=1)
    """Training batches over which that share grows from 0 in a line."""

    @model_validator(mode="after")
    def _nothing_idle(self) -> DecoderSettings:
        if self.attention_size is not None and self.attention != "additive":
            raise ValueError(f"attention_size is for attention: additive, and attention is {self.attention}")
        if self.attention == "none":
            for name in ("input_feeding", "coverage", "copy_words"):
                if self.changed(name):
                    raise ValueError(f"{name} does nothing with attention: none")
            if self.bridge == "none":
                raise ValueError("attention: none and bridge: none leave the decoder nothing of what was read")
        if self.coverage and not (self.attention == "additive" and self.input_feeding):
            raise ValueError("coverage needs attention: additive and input_feeding: true")
        if self.scheduled_sampling and not self.reads_forecast:
            raise ValueError("scheduled_sampling does nothing with reads_forecast: false")
        if self.changed("scheduled_sampling_steps") and not self.scheduled_sampling:
            raise ValueError("scheduled_sampling_steps does nothing without scheduled_sampling")
        return self
