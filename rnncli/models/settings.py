"""Options of a model. Nothing here needs torch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, model_validator

from rnncli.cells.cell import AnyCell, make_cell
from rnncli.cells.initializers import WholeInitializer
from rnncli.config.settings import Settings
from rnncli.engines.settings import EngineName
from rnncli.heads.settings import AnyHead
from rnncli.layers.decoder_settings import DecoderSettings
from rnncli.layers.image_settings import DEFAULT_IMAGE_ENCODER, ImageEncoderSettings
from rnncli.layers.settings import NO_DROPOUT, ConnectionName, DropoutSettings, PoolingName, SpecAugmentSettings


class ModelSettings(Settings):
    """Everything between the inputs and the prediction."""

    cell: AnyCell
    """What a recurrent layer computes at each step."""

    layers: int = Field(1, ge=1)
    """Recurrent layers, each reading the outputs of the one below."""

    bidirectional: bool = False
    """Read every sequence in both directions."""

    connections: ConnectionName = "none"
    """What joins the input of a recurrent layer to its output: residual adds the two (He et al. 2016), highway mixes
    them by a gate (Srivastava et al. 2015). The first layer has none where its input is of another size."""

    learned_initial_state: bool = False
    """Train the state before the first step of each layer and direction, instead of starting from zeros."""

    initialization: WholeInitializer | None = None
    """How all parameters start that start at random: embeddings, output layer, and of a cell what neither
    cell.initialization nor its paper (as that of irnn) speaks of. A forget_bias is added to it; a way for matrices
    leaves biases and other vectors as they are without it; the scale of uniform goes by the hidden_size of the cell."""

    input_noise: float = Field(0.0, ge=0, allow_inf_nan=False)
    """Standard deviation of the normal noise added to the numbers of each step while training (Greff et al. 2017),
    in the units in which the network reads them."""

    spec_augment: SpecAugmentSettings | None = None
    """Bands and stretches of the numbers that are hidden while training, as of spectra."""

    embedding_size: int = Field(64, ge=1)
    """Numbers in the vector of a token; pretrained vectors bring their own size."""

    freeze_vectors: bool = False
    """Leave pretrained vectors as they are; otherwise training changes them."""

    tied_embeddings: bool = False
    """Use the embedding also as the weights of the output layer, when the next token is predicted."""

    category_embedding_size: int = Field(8, ge=1)
    """Numbers in the vector of a category."""

    character_embedding_size: int = Field(25, ge=1)
    """Numbers in the vector of a character of a word."""

    character_hidden_size: int = Field(25, ge=1)
    """Units, in each direction, of the layer that reads the characters of a word."""

    dropout: DropoutSettings = NO_DROPOUT
    """What is dropped while training, and how much of it."""

    pooling: PoolingName | Annotated[list[PoolingName], Field(min_length=1)] = "last"
    """How one vector is made from the outputs of all steps, where there is one target a sequence; several ways stand
    side by side."""

    head: AnyHead | None = None
    """Output layer and loss; the one that fits the target where not given."""

    engine: EngineName = "auto"
    """How the cell is run over time: auto takes the fastest that can run it."""

    image_encoder: ImageEncoderSettings = DEFAULT_IMAGE_ENCODER
    """What reads pictures."""

    decoder: DecoderSettings | None = None
    """What writes an output sequence, token by token or value by value."""

    upsample: int = Field(1, ge=1)
    """For CTC: how often each step of the inputs is read, so that targets longer than the inputs fit."""

    window_normalization: Literal["none", "last", "level", "revin"] = "none"
    """For forecasts, each window by itself: subtract its last value, divide by its mean size (Smyl 2020), or
    standardise it with a learnable scale and shift (RevIN, Kim et al. 2022); undone in the forecast."""

    patch: int = Field(1, ge=1)
    """For forecasts: steps joined to one that the network reads."""

    shared: bool = False
    """For forecasts: one network reads each variable by itself, instead of one that reads all together."""

    skip: Literal["none", "linear", "seasonal", "last"] = "none"
    """What is added to the network's output. For forecasts: a linear map of the window, the same for all variables, or
    the value of one season before. For the numbers of the next step: the last ones, so that the change is learnt."""

    @property
    def writing(self) -> DecoderSettings:
        """The options of the decoder, also where none are given."""
        return self.decoder or DecoderSettings()

    @property
    def poolings(self) -> tuple[PoolingName, ...]:
        """The ways of pooling, also where one alone is given."""
        return (self.pooling,) if isinstance(self.pooling, str) else tuple(self.pooling)

    @model_validator(mode="after")
    def _nothing_idle(self) -> ModelSettings:
        mistakes = [*self._idle()]
        if len(set(self.poolings)) < len(self.poolings):
            mistakes.append(f"pooling names a way twice: {', '.join(self.poolings)}")
        if mistakes:
            raise ValueError("; ".join(mistakes))
        return self

    def _idle(self) -> Iterator[str]:
        """What would do nothing with this cell or this number of layers."""
        rates, name, cell = self.dropout, self.cell.type, make_cell(self.cell)
        if rates.between_layers and self.layers == 1:
            yield "dropout.between_layers does nothing with one layer; set layers to 2 or more, or drop it"
        for key in ("recurrent", "weight"):
            if getattr(rates, key) and not cell.graph.products:
                yield f"dropout.{key} does nothing: {name} has no recurrent matrix"
        if rates.zoneout_memory and "c" not in cell.states[1:]:
            yield f"dropout.zoneout_memory does nothing: {name} has no memory c beside its output"
        if self.cell.project and not cell.graph.raw:
            yield f"cell.project does nothing: {name} does not read the input itself, but maps it by its own matrices"
