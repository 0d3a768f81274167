"""Metrics of sequences that are written, compared as texts with the references of each item."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from rnncli.errors import MissingExtra
from rnncli.metrics.metric import Mean, Metric, Scheme, given, metric
from rnncli.metrics.outcome import Outcome, streams

if TYPE_CHECKING:
    import jiwer
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

SEQUENCES = frozenset({"sequence"})


@metric("exact_match")
class ExactMatch(Mean):
    """Share of items whose text is one of the references, letter by letter, 0 to 1. Of words spelt or spoken it is the
    word accuracy."""

    higher_is_better = True
    kinds = SEQUENCES

    def measure(self, outcome: Outcome) -> NDArray[np.bool_]:
        pairs = zip(outcome.predicted, given(outcome.target), strict=True)
        return np.array([text in references for text, references in pairs], dtype=bool)


class NGrams(Metric):
    """BLEU up to one order of n-grams: the counts of sacrebleu, summed over the items."""

    higher_is_better = True
    kinds = SEQUENCES
    order: ClassVar[int]

    def __init__(self, names: Sequence[str], scheme: Scheme) -> None:
        """
        Raises:
            MissingExtra: sacrebleu is not installed.
        """
        super().__init__(names, scheme)
        try:
            from sacrebleu.metrics.bleu import BLEU
        except ImportError:
            raise MissingExtra("sacrebleu", "text", f"the metric {self.name}") from None
        self.scorer = BLEU()
        self.counts, self.totals = np.zeros((2, self.order), dtype=np.int64)
        self.written = self.expected = 0
        self.numbers: set[int] = set()

    def add(self, outcome: Outcome) -> None:
        references = given(outcome.target)
        if not len(references):
            return
        found = outcome.shared_words
        self.counts += found.counts[: self.order]
        self.totals += found.totals[: self.order]
        self.written += found.sys_len
        self.expected += found.ref_len
        self.numbers |= {len(each) for each in references}

    def value(self) -> float:
        if not self.numbers:
            return float("nan")
        found = self.scorer.compute_bleu(
            self.counts.tolist(),
            self.totals.tolist(),
            self.written,
            self.expected,
            smooth_method=self.scorer.smooth_method,
            max_ngram_order=self.order,
        )
        return float(found.score)


@metric("bleu")
class Bleu(NGrams):
    """BLEU of the corpus by sacrebleu, 0 to 100: n-grams of one to four words, tokenization 13a, cased (Post 2018).
    Items may have references in different numbers. Texts without blanks are one word, of which it says nothing."""

    order = 4

    def signature(self) -> str | None:
        return signed(self.scorer, self.numbers) if self.numbers else None


@metric("chrf")
class ChrF(Metric):
    """chrF2 of the corpus by sacrebleu, 0 to 100: n-grams of one to six characters, blanks left out (Popović 2015)."""

    higher_is_better = True
    kinds = SEQUENCES

    def __init__(self, names: Sequence[str], scheme: Scheme) -> None:
        """
        Raises:
            MissingExtra: sacrebleu is not installed.
        """
        super().__init__(names, scheme)
        try:
            from sacrebleu.metrics.chrf import CHRF
        except ImportError:
            raise MissingExtra("sacrebleu", "text", f"the metric {self.name}") from None
        self.scorer = CHRF()
        # Kept whole: sacrebleu shows the score alone, not the counts of which it is made.
        self.texts: list[str] = []
        self.references: list[tuple[str, ...]] = []

    def add(self, outcome: Outcome) -> None:
        self.texts += outcome.predicted.tolist()
        self.references += given(outcome.target).tolist()

    def value(self) -> float:
        if not self.texts:
            return float("nan")
        return float(self.scorer.corpus_score(self.texts, streams(self.references)).score)

    def signature(self) -> str | None:
        return signed(self.scorer, {len(each) for each in self.references}) if self.texts else None


class ErrorRate(Metric):
    """Insertions, deletions and substitutions that make the text of the nearest reference, by its length.

    Nearest is the reference with the fewest errors, the first of several; errors and lengths are summed over the items
    before they are divided. Where all references are empty it is the number of errors, as in jiwer.
    """

    higher_is_better = False
    kinds = SEQUENCES

    def __init__(self, names: Sequence[str], scheme: Scheme) -> None:
        """
        Raises:
            MissingExtra: jiwer is not installed.
        """
        super().__init__(names, scheme)
        try:
            import jiwer  # noqa: F401
        except ImportError:
            raise MissingExtra("jiwer", "text", f"the metric {self.name}") from None
        self.items = self.errors = self.length = 0

    @abstractmethod
    def aligned(self, references: list[str], texts: list[str]) -> jiwer.WordOutput | jiwer.CharacterOutput:
        """Each text laid beside its reference."""

    def add(self, outcome: Outcome) -> None:
        references, texts = given(outcome.target).tolist(), outcome.predicted.tolist()
        if not texts:
            return
        flat = [reference for each in references for reference in each]
        repeated = [text for text, each in zip(texts, references, strict=True) for _ in each]
        found = self.aligned(flat, repeated)
        pairs = zip(map(_errors, found.alignments), map(len, found.references), strict=True)
        for each in references:
            errors, length = min((next(pairs) for _ in each), key=lambda pair: pair[0])
            self.errors += errors
            self.length += length
        self.items += len(texts)

    def value(self) -> float:
        return self.errors / max(self.length, 1) if self.items else float("nan")


@metric("wer")
class WordErrorRate(ErrorRate):
    """Word error rate by jiwer, 0 and more: errors in words by the words of the nearest reference. It is the phoneme
    error rate where blanks stand between phonemes, and the digit error rate of digits in words."""

    def aligned(self, references: list[str], texts: list[str]) -> jiwer.WordOutput:
        import jiwer

        return jiwer.process_words(references, texts)


@metric("cer")
class CharacterErrorRate(ErrorRate):
    """Character error rate by jiwer, 0 and more: errors in characters by the characters of the nearest reference,
    blanks within it included."""

    def aligned(self, references: list[str], texts: list[str]) -> jiwer.CharacterOutput:
        import jiwer

        return jiwer.process_characters(references, texts)


@metric("bleu_1")
class Bleu1(NGrams):
    """As bleu, of single words alone."""

    order = 1


@metric("bleu_2")
class Bleu2(NGrams):
    """As bleu, of one and two words."""

    order = 2


@metric("bleu_3")
class Bleu3(NGrams):
    """As bleu, of one to three words."""

    order = 3


def signed(scorer: BLEU | CHRF, numbers: set[int]) -> str:
    """How sacrebleu has measured items that have so many references."""
    scorer.corpus_score([""], [[""]])  # it has no signature before it has scored
    signature = scorer.get_signature()
    signature.update("nrefs", next(iter(numbers)) if len(numbers) == 1 else "var")
    return str(signature)


def _errors(alignment: list[jiwer.AlignmentChunk]) -> int:
    return sum(
        max(chunk.ref_end_idx - chunk.ref_start_idx, chunk.hyp_end_idx - chunk.hyp_start_idx)
        for chunk in alignment
        if chunk.type != "equal"
    )
