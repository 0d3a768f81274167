"""One of the tokens that may follow, drawn by its probability.

Written twice, over rows in torch and for one row in NumPy, where a call costs a quarter: a token of a small model that
writes by itself takes no longer than a few such calls.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from rnncli.decoding.settings import DecodingSettings


def draw(logits: Tensor, uniform: Tensor, settings: DecodingSettings) -> Tensor:
    """(rows,) int64 tokens, drawn after temperature, top_k and top_p, in this order; tokens as likely as the last that
    these keep are kept too.

    Args:
        logits: (rows, vocabulary) float32; -inf is never drawn.
        uniform: (rows,) float32, where in [0, 1) of the summed probabilities each token is taken.
    """
    scaled = logits / settings.temperature
    if settings.top_k is not None:
        least = scaled.topk(min(settings.top_k, scaled.shape[1])).values[:, -1:]
        scaled = scaled.masked_fill(scaled < least, -torch.inf)
    probabilities = scaled.softmax(1)
    if settings.top_p is not None:
        ordered = probabilities.sort(1, descending=True).values
        sums = ordered.cumsum(1)
        last = (sums < settings.top_p * sums[:, -1:]).sum(1, keepdim=True)
        probabilities = probabilities.masked_fill(probabilities < ordered.gather(1, last), 0)
    sums = probabilities.cumsum(1)
    return torch.searchsorted(sums, uniform.unsqueeze(1) * sums[:, -1:], right=True).squeeze(1)


def draw_one(logits: np.ndarray, uniform: float, settings: DecodingSettings) -> int:
    """What `draw` gives for one row (vocabulary,)."""
    scaled = (logits - logits.max()) / settings.temperature
    if settings.top_k is not None and settings.top_k < len(scaled):
        scaled[scaled < np.partition(scaled, -settings.top_k)[-settings.top_k]] = -np.inf
    probabilities = np.exp(scaled, out=scaled)
    if settings.top_p is not None:
        whole = probabilities.sum()
        # all below this together are less than may be left out; the others are quickly sorted
        likely = probabilities[probabilities >= (1 - settings.top_p) * whole / len(probabilities)]
        ordered = np.sort(likely)[::-1]
        last = ordered.cumsum().searchsorted(settings.top_p * whole)
        probabilities[probabilities < ordered[min(last, len(ordered) - 1)]] = 0
    sums = probabilities.cumsum()
    return int(sums.searchsorted(uniform * sums[-1], side="right"))
