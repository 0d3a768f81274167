"""Words from their characters."""

from __future__ import annotations

from torch import nn

from rnncli.cells.cell import CellSettings
from rnncli.engines.settings import EngineName
from rnncli.layers.embedding import Embedding
from rnncli.layers.pooling import Pooling
from rnncli.layers.recurrent import Stack
from rnncli.sequences import Padded


class CharacterWords(nn.Module):
    """Reads the spelling of each word in both directions and joins what both have at their end (Lample et al. 2016).

    Attributes:
        size: features of a word.
    """

    def __init__(self, alphabet: int, width: int, cell: CellSettings, engine: EngineName = "auto") -> None:
        super().__init__()
        self.embedding = Embedding(alphabet, width)
        self.stack = Stack(cell, width, bidirectional=True, engine=engine)
        self.pooling = Pooling(("last",), self.stack.size, bidirectional=True)
        self.size = self.pooling.size

    def forward(self, spellings: Padded, positions: Padded) -> Padded:
        """Features of (batch, time, size) in time-major memory.

        Args:
            spellings: (words, characters) ids, every distinct word once.
            positions: (batch, time) which of these words stands where; padding names any of them.
        """
        read, _ = self.stack(self.embedding(spellings))
        by_time = positions.values.t()
        words = self.pooling(read).index_select(0, by_time.flatten())
        return positions.with_values(words.view(*by_time.shape, self.size).transpose(0, 1))
