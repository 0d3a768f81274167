"""What is learnt of the captions of the training part before any training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rnncli.errors import DataError
from rnncli.inputs.captions.settings import CaptionSettings
from rnncli.inputs.encoding import Encoder
from rnncli.inputs.pairs.fitting import uncut
from rnncli.inputs.vocabulary import Vocabulary


def fit(texts: Sequence[str], settings: CaptionSettings, path: Path) -> tuple[Encoder, np.ndarray]:
    """The encoder of captions, and the positions of those that aren't too long; the others do not count for it.

    Args:
        path: where the training part stands, for messages.

    Raises:
        DataError: all are too long, or they allow no sentencepiece model.
    """
    cutter = Encoder.cutting(settings, texts)
    counts: Counter[str] = Counter()
    kept = []
    for position, text in enumerate(texts):
        units = cutter.units(text)
        if settings.max_length is None or len(units) <= settings.max_length:
            kept.append(position)
            counts.update(units)
    if not kept:
        raise DataError(
            f"all {len(texts)} captions of the training part have more units than data.target.max_length "
            f"({settings.max_length})",
            path,
        )
    encoder = Encoder(settings, Vocabulary.count(counts, settings.min_count), cutter.pieces)
    return uncut(encoder), np.array(kept, np.int64)
