"""What was written, as texts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnncli.decoding.settings import DecodingSettings
from rnncli.decoding.steps import Answer
from rnncli.inputs.batches import Batch
from rnncli.inputs.targets import Target
from rnncli.metrics.outcome import Outcome


def written(
    answers: Sequence[Sequence[Answer]],
    batch: Batch,
    target: Target,
    decoding: DecodingSettings,
    nll: np.ndarray | None,
) -> Outcome:
    """The texts of decoded tokens, beside those that would be right.

    Args:
        answers: to each input, the best first.
        nll: as in an Outcome.
    """
    texts = [[(target.text(answer.tokens), answer.score) for answer in several] for several in answers]
    several = None if decoding.n_best == 1 else listed(texts)
    return Outcome(
        listed([each[0][0] for each in texts]),
        None if batch.references is None else listed(batch.references),
        np.ones(len(texts), dtype=np.int64),
        nll=nll,
        answers=several,
    )


def listed(things: Sequence[object]) -> np.ndarray:
    """(things,) as objects, whatever they are."""
    return np.fromiter(things, dtype=object, count=len(things))
