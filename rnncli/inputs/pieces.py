"""Pieces of words, by a sentencepiece model that is trained on the training part."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from typing import Any

from rnncli.errors import DataError, MissingExtra, RunError


class Pieces:
    """Cuts a text into the pieces of a unigram model (Kudo 2018, arXiv 1804.10959v1).

    Characters stay as they are, so that pieces spell the text again; each run of white space is one space.

    Args:
        model: the model file's bytes, kept with the run.
    """

    def __init__(self, model: bytes) -> None:
        sentencepiece = _sentencepiece()
        self.model = model
        try:
            self._processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        except RuntimeError:
            raise RunError("the saved sentencepiece model is damaged") from None

    @classmethod
    def train(cls, texts: Iterable[str], size: int) -> Pieces:
        """A model of at most `size` pieces; the same texts give the same model.

        Raises:
            DataError: the texts allow no model.
        """
        model = io.BytesIO()
        try:
            _sentencepiece().SentencePieceTrainer.train(
                sentence_iterator=map(_spaced, texts),
                model_writer=model,
                vocab_size=size,
                hard_vocab_limit=False,
                normalization_rule_name="identity",  # Its own NFKC would write 2 for ² and drop some signs.
                max_sentence_length=2**30,  # Longer lines would silently be left out.
                num_threads=1,
                minloglevel=2,
            )
        except RuntimeError as error:
            if needed := re.search(r"required_chars\. \d+ vs (\d+)", str(error)):
                reason = f"their characters alone are {needed[1]} pieces, sentencepiece_size is {size}"
            else:
                reason = str(error)
            raise DataError(f"sentencepiece can't be trained on the texts of the training part: {reason}") from None
        return cls(model.getvalue())

    def __call__(self, text: str) -> list[str]:
        pieces: list[str] = self._processor.encode(_spaced(text), out_type=str)
        return pieces


def _spaced(text: str) -> str:
    return " ".join(text.split())


def _sentencepiece() -> Any:
    try:
        import sentencepiece
    except ImportError:
        raise MissingExtra("sentencepiece", "text", "data.units: sentencepiece") from None
    return sentencepiece
