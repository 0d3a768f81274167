"""From the inputs of a batch to one vector a step."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from rnncli.inputs.batches import Batch
from rnncli.inputs.features import Categories, Feature, Spelling, Tokens, Values
from rnncli.layers.characters import CharacterWords
from rnncli.layers.dropout import InputDropout
from rnncli.layers.embedding import Embedding
from rnncli.layers.noise import InputNoise
from rnncli.layers.spec_augment import SpecAugment
from rnncli.models.settings import ModelSettings
from rnncli.sequences import Padded


class InputLayer(nn.Module):
    """Embeds ids and sets everything side by side, numbers last.

    Attributes:
        size: features of a step.
    """

    def __init__(self, features: Mapping[str, Feature], settings: ModelSettings) -> None:
        super().__init__()
        self.numbers = [name for name, feature in features.items() if isinstance(feature, Values)]
        self.embedded = [name for name in features if name not in self.numbers]
        layers = [_embedding(features[name], settings) for name in self.embedded]
        # A list, not a ModuleDict: names of columns may be what names of modules must not.
        self.embeddings = nn.ModuleList(layers)
        self.dropout, self.noise = InputDropout(settings.dropout), InputNoise(settings.input_noise)
        masks = settings.spec_augment
        self.masks: nn.Module = nn.Identity() if masks is None else SpecAugment(masks)
        self.size = sum(feature.width for feature in features.values() if isinstance(feature, Values))
        self.size += sum(layer.size if isinstance(layer, CharacterWords) else layer.weight.shape[1] for layer in layers)

    def tied(self) -> nn.Parameter:
        """The embedding of the tokens, (size, width)."""
        return next(layer.weight for layer in self.embeddings if isinstance(layer, Embedding))

    def forward(self, batch: Batch) -> Padded:
        """(batch, time, size) in time-major memory; padding holds anything."""
        parts = []
        for name, layer in zip(self.embedded, self.embeddings, strict=True):
            ids = batch.inputs[name]
            parts.append(layer(batch.spellings, ids) if isinstance(layer, CharacterWords) else layer(ids))
        if parts:
            parts = [self.dropout(side_by_side(parts))]
        numbers = (self.masks(batch.inputs[name]) for name in self.numbers)
        return side_by_side(parts + [each.with_values(self.noise(each.values)) for each in numbers])


def _embedding(feature: Feature, settings: ModelSettings) -> Embedding | CharacterWords:
    """The layer that gives the ids of a feature their vectors."""
    match feature:
        case Tokens(size=size, vectors=vectors):
            width = settings.embedding_size if vectors is None else vectors.shape[1]
            # As the weights of an output layer too, numbers from N(0, 1) would give logits far too large.
            deviation = width**-0.5 if settings.tied_embeddings else 1.0
            return Embedding(
                size,
                width,
                vectors=vectors,
                frozen=settings.freeze_vectors,
                deviation=deviation,
                padded=not settings.writing.shared_embeddings,  # there the decoder begins and ends with it
            )
        case Categories(size=size):
            return Embedding(size, settings.category_embedding_size)
        case Spelling(size=size):
            cell = settings.cell.model_copy(update={"hidden_size": settings.character_hidden_size})
            return CharacterWords(size, settings.character_embedding_size, cell, settings.engine)
    raise TypeError(f"{type(feature).__name__} is not embedded")


def side_by_side(parts: list[Padded]) -> Padded:
    """The features of all parts in one, in time-major memory."""
    if len(parts) == 1:
        return parts[0]
    by_time = torch.cat([part.values.transpose(0, 1) for part in parts], dim=2)
    return parts[0].with_values(by_time.transpose(0, 1))
