"""The one text that answers a training part best, whatever the input is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from sacrebleu.metrics.bleu import BLEU

LIKELY = 0.01
"""Share of the examples from which on a text is worth answering with because it is right."""

LOOKED_AT = 50_000
"""Examples that are looked at, evenly spread over all."""

ORDERS = 4

Numbers = NDArray[np.int64]


def constant_answer(references: Sequence[tuple[str, ...]]) -> str:
    """The best text among the references: the one that is right most often, where that is for LIKELY of the examples
    or more; or else the one with the highest BLEU over all examples, of equals the one that is right more often.

    Args:
        references: of each example the texts that would be right.
    """
    step = -(-len(references) // LOOKED_AT)
    # Sorted, the references of an image are the same for each of its captions.
    examples = Counter(tuple(sorted(each)) for each in references[::step])
    right: Counter[str] = Counter()
    for each, count in examples.items():
        for text in set(each):
            right[text] += count
    likeliest, count = max(right.items(), key=lambda item: (item[1], item[0]))
    if count >= LIKELY * examples.total():
        return likeliest
    scores = bleu_of_each(list(examples), list(examples.values()))
    return max(scores, key=lambda text: (scores[text], right[text], text))


def bleu_of_each(examples: Sequence[tuple[str, ...]], counts: Sequence[int]) -> dict[str, float]:
    """The BLEU of sacrebleu that each text among the references has as the answer to all examples.

    An n-gram of an answer fits the examples of which some reference has it as often. So the hits of an answer are the
    sum over its n-grams of the examples that have them, and all answers are measured by one count.

    Args:
        counts: how often each example is there.
    """
    tokenized = BLEU().tokenizer
    texts = [text for references in examples for text in references]
    words = [tokenized(text.rstrip()).split() for text in texts]
    lengths = np.array([len(each) for each in words], dtype=np.int64)
    sizes = np.array([len(references) for references in examples], dtype=np.int64)
    weights = np.array(counts, dtype=np.int64)
    hits = _hits(
        _ids(word for each in words for word in each), lengths, np.repeat(np.arange(len(sizes)), sizes), weights
    )
    total, firsts = int(weights.sum()), sizes.cumsum() - sizes
    expected = {length: _expected(length, lengths, firsts, weights) for length in set(lengths.tolist())}
    scores: dict[str, float] = {}
    for text, length, found in zip(texts, lengths.tolist(), hits.tolist(), strict=True):
        if text not in scores:
            grams = [max(length - less, 0) * total for less in range(ORDERS)]
            scores[text] = BLEU.compute_bleu(found, grams, length * total, expected[length], smooth_method="exp").score
    return scores


def _ids(words: Iterable[str]) -> Numbers:
    ids: dict[str, int] = {}
    return np.array([ids.setdefault(word, len(ids)) for word in words], dtype=np.int64)


def _hits(ids: Numbers, lengths: Numbers, of_example: Numbers, weights: Numbers) -> Numbers:
    """(texts, orders): how many n-grams of each text fit, summed over all examples.

    Args:
        ids: (words,) of all texts, one after another.
        lengths: (texts,) in words.
        of_example: (texts,) the example whose reference a text is.
        weights: (examples,) how often each is there.
    """
    hits = np.zeros((len(lengths), ORDERS), dtype=np.int64)
    of_text = np.repeat(np.arange(len(lengths)), lengths)
    grams = ids
    for order in range(ORDERS):
        begins = np.flatnonzero(of_text[order:] == of_text[: len(of_text) - order])
        if not begins.size:
            break
        if order:
            longer = np.zeros_like(grams)
            longer[begins] = _numbered(grams[begins], ids[begins + order])
            grams = longer
        within = of_text[begins]
        keys = _numbered(grams[begins], _occurrence(within, grams[begins]))
        kinds = int(keys.max()) + 1
        held = np.unique(of_example[within] * kinds + keys)
        having = np.bincount(held % kinds, weights=weights[held // kinds])
        hits[:, order] = np.bincount(within, weights=having[keys], minlength=len(lengths)).astype(np.int64)
    return hits


def _numbered(first: Numbers, second: Numbers) -> Numbers:
    """A number for each distinct pair."""
    numbers: Numbers = np.unique(first * (int(second.max()) + 1) + second, return_inverse=True)[1]
    return numbers


def _occurrence(texts: Numbers, grams: Numbers) -> Numbers:
    """Which time, from 0, each n-gram stands in its text."""
    order = np.lexsort((grams, texts))
    texts, grams = texts[order], grams[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (texts[1:] != texts[:-1]) | (grams[1:] != grams[:-1])
    place = np.arange(len(order))
    occurrence = np.empty(len(order), dtype=np.int64)
    occurrence[order] = place - np.maximum.accumulate(np.where(new, place, 0))
    return occurrence


def _expected(length: int, lengths: Numbers, firsts: Numbers, weights: Numbers) -> int:
    """The lengths that are nearest to that of an answer, one of each example, the shorter of two; summed."""
    beyond = int(lengths.max()) + 1
    nearest = np.minimum.reduceat(np.abs(lengths - length) * beyond + lengths, firsts) % beyond
    return int((nearest * weights).sum())
