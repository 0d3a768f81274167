"""What an encoder makes of the inputs: positions to look at, and one vector for all of them."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from rnncli.inputs.batches import Batch
from rnncli.inputs.features import Feature, Images
from rnncli.layers.bridge import last_states
from rnncli.layers.images import ImageEncoder
from rnncli.layers.recurrent import Stack
from rnncli.models.inputs import InputLayer
from rnncli.models.model import build_stack
from rnncli.models.settings import ModelSettings
from rnncli.sequences import Padded


class Reader(nn.Module):
    """Reads sequences by recurrent layers, pictures by convolutions; a class or numbers stay as they are.

    Args:
        from_one: whether there is but one step to read.

    Attributes:
        size: features of a position.
        summary_size: features of the vector for all of them.
    """

    def __init__(self, settings: ModelSettings, features: Mapping[str, Feature], from_one: bool) -> None:
        super().__init__()
        self.mean = settings.writing.bridge == "mean"
        self.picture: str | None = None
        self.images: ImageEncoder | None = None
        self.inputs: InputLayer | None = None
        self.stack: Stack | None = None
        for name, feature in features.items():
            if isinstance(feature, Images):
                self.picture, self.images = name, ImageEncoder(settings.image_encoder, feature)
                self.size = self.summary_size = self.images.size
                return
        self.inputs = InputLayer(features, settings)
        self.size = self.summary_size = self.inputs.size
        if not from_one:
            self.stack = build_stack(settings, self.inputs.size)
            self.size = self.stack.size
            self.summary_size = self.size if self.mean else self.size * len(self.stack.cell.states)

    def forward(self, batch: Batch, bptt_steps: int | None = None) -> tuple[Padded, Tensor]:
        """(batch, positions, size), anything at padding, and (batch, summary_size)."""
        if self.images is not None and self.picture is not None:
            read = self.images(batch.inputs[self.picture])
            return read, read.values.mean(dim=1)
        assert self.inputs is not None
        read = self.inputs(batch)
        if self.stack is None:
            return read, read.values.mean(dim=1)  # one step, or the regions of a picture
        read, final = self.stack(read, final_state=not self.mean, bptt_steps=bptt_steps)
        if final is not None:
            return read, last_states(final, self.stack.directions)
        return read, read.zeroed().values.sum(dim=1) / read.lengths.to(read.values).unsqueeze(1)
