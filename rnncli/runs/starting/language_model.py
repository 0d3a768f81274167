"""Texts whose next word or character is to be predicted."""

from __future__ import annotations

import re

from rnncli.runs.starting.draft import Draft, Line, training
from rnncli.runs.starting.siblings import Parts

_MARKED = re.compile(r"\w[.,;:!?]$")


def language_model(seen: str, texts: list[str], rows: int, parts: Parts) -> Draft:
    """A config for a stream of texts, words where punctuation stands apart from them, else characters.

    Args:
        rows: texts of the whole file; `texts` are the first of them.
    """
    words = [word for text in texts for word in text.split()]
    marked = sum(_MARKED.search(word) is not None for word in words) / max(len(words), 1)
    spaced = len(words) >= 2 * len(texts)
    by_word = spaced and marked < 0.02
    draft = Draft(Line("task", "many-to-many", f"the next {'word' if by_word else 'character'} at each step"), seen)
    if by_word:
        why = "punctuation stands apart, so words can be cut at spaces"
    elif spaced:
        why = f"{marked:.0%} of the words end in a comma or the like: not cut into words"
    else:
        why = "hardly any spaces"
    units = len(words) if by_word else sum(map(len, texts))
    total = int(units * rows / max(len(texts), 1))
    draft.data = [Line("target", {"kind": "next"}), Line("units", "word" if by_word else "character", why)]
    if by_word and "<unk>" not in words:
        draft.data.append(Line("min_count", 2, "words seen once teach what an unknown word is like"))
    draft.split = parts.split(0.1)
    size = 64 if total < 100_000 else 128
    unit = "words" if by_word else "characters"
    draft.model = [
        Line("cell", {"type": "lstm", "hidden_size": size}, f"about {total:,} {unit}"),
        Line("embedding_size", size if by_word else 32),
    ]
    if by_word:
        draft.model.append(
            Line("tied_embeddings", True, "one table of words for input and output, which needs equal sizes")
        )
    draft.model.append(Line("dropout", {"embedding": 0.2 if by_word else 0.1}))
    draft.training = training(
        epochs=5 if total > 500_000 else 20,
        patience=3,
        batch_size=16 if total < 100_000 else 32,
        learning_rate=0.004,
        bptt_steps=35 if by_word else 100,
    )
    return draft
