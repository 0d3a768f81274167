"""What each task asks of a network, and how its examples are drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rnncli.inputs.features import Feature, Tokens, Values
from rnncli.inputs.loader import SplitName
from rnncli.inputs.synthetic import adding, arithmetic, copying, digits, memorization, permutation, temporal_order
from rnncli.inputs.synthetic import xml_tags as xml
from rnncli.inputs.synthetic.drawn import Drawn, generator
from rnncli.inputs.synthetic.settings import SyntheticSettings
from rnncli.inputs.targets import Kind, TaskMode
from rnncli.inputs.vocabulary import RESERVED

SYMBOLS, NUMBERS, TOKENS = "symbols", "numbers", "tokens"
"""Names of the one feature: symbols as one-hot vectors, numbers as they are, characters of a stream."""


@dataclass(frozen=True)
class Form:
    """A task as a network meets it.

    Attributes:
        feature: the name of the one feature.
        width: numbers of a step, entries of a one-hot vector, or entries of the vocabulary.
        names: of the target.
        partial: some steps ask for nothing.
        examples: of a part and their number at most.
    """

    mode: TaskMode
    kind: Kind
    feature: str
    width: int
    names: tuple[str, ...]
    examples: Callable[[SplitName, int], Drawn]
    partial: bool = False

    @property
    def features(self) -> dict[str, Feature]:
        """What the model reads."""
        return {self.feature: Tokens(self.width) if self.feature == TOKENS else Values(self.width)}


def form_of(settings: SyntheticSettings) -> Form:
    """The task that the settings name, with its options."""
    steps = settings.steps

    def drawn(draw: Callable[[np.random.Generator, int], Drawn]) -> Callable[[SplitName, int], Drawn]:
        return lambda part, count: draw(generator(settings.seed, settings.name, part), count)

    def stream(characters: str, draw: Callable[[np.random.Generator, int], Drawn], partial: bool) -> Form:
        entries = (*RESERVED, *characters)
        return Form("many-to-many", "token", TOKENS, len(entries), entries, drawn(draw), partial)

    match settings.name:
        case "adding":
            draw = drawn(lambda random, count: adding.adding(random, count, steps))
            return Form("many-to-one", "value", NUMBERS, 2, adding.TARGET, draw)
        case "copy":
            recalled = settings.scored == "recalled"
            draw = drawn(lambda random, count: copying.copy(random, count, steps, recalled))
            return Form("many-to-many", "class", SYMBOLS, copying.SYMBOLS, copying.TARGETS, draw, recalled)
        case "temporal-order":
            draw = drawn(lambda random, count: temporal_order.temporal_order(random, count, steps, settings.symbols))
            names = temporal_order.orders(settings.symbols)
            return Form("many-to-one", "class", SYMBOLS, temporal_order.SYMBOLS, names, draw)
        case "permutation":
            draw = drawn(lambda random, count: permutation.permutation(random, count, steps))
            return Form("many-to-one", "class", SYMBOLS, permutation.SYMBOLS, permutation.TARGETS, draw)
        case "memorization":
            return stream(
                memorization.CHARACTERS, lambda random, count: memorization.memorization(random, count, steps), True
            )
        case "arithmetic":
            return stream(
                arithmetic.CHARACTERS,
                lambda random, count: arithmetic.arithmetic(random, count, settings.digits, settings.distractors),
                True,
            )
        case "xml":
            return stream(xml.CHARACTERS, xml.xml, False)
        case "digits":
            return Form("many-to-one", "class", NUMBERS, 1, digits.TARGETS, _images(settings))


def _images(settings: SyntheticSettings) -> Callable[[SplitName, int], Drawn]:
    def first(part: SplitName, count: int) -> Drawn:
        inputs, targets = digits.digits(settings.seed, part, settings.permuted)
        return Drawn(inputs[:count], targets[:count])

    return first
