"""The trials of a variant: draws of other options, by Optuna's samplers or as a grid."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from rnncli.ablation.settings import Changes, SearchSettings
from rnncli.ablation.space import Choice, Distribution, Interval
from rnncli.errors import MissingExtra

if TYPE_CHECKING:
    import optuna

UNPRUNED = 5
"""Trials that are never given up, since there is too little to compare them with (Optuna's default)."""


@dataclass(frozen=True)
class Tried:
    """A trial that is over.

    Attributes:
        value: mean over the seeds of the metric on the validation part; None where it failed or was given up.
        pruned: whether it was given up.
        curve: epoch -> the metric on the validation part after it, of its first seed.
    """

    drawn: Changes
    value: float | None
    pruned: bool
    curve: Mapping[int, float]


class Search:
    """Draws the trials of one variant.

    Each draw has a generator of its own, seeded by the search's seed, the variant and the number of the trial: what is
    drawn depends on no other variant, nor on how often the ablation was interrupted.

    Raises:
        MissingExtra: optuna is not installed, and wanted.
    """

    def __init__(
        self, settings: SearchSettings, space: Mapping[str, Distribution], name: str, higher_is_better: bool
    ) -> None:
        self.settings, self.space, self.name = settings, space, name
        self.higher_is_better = higher_is_better
        self._combinations: list[tuple[Any, ...]] = []
        if settings.sampler == "grid":
            self._combinations = list(product(*(each.values for each in space.values() if isinstance(each, Choice))))
        else:
            _optuna()

    @property
    def trials(self) -> int:
        """How many there will be."""
        return len(self._combinations) or self.settings.trials or 0

    @property
    def adaptive(self) -> bool:
        """Whether a trial depends on those before it."""
        return self.settings.sampler == "tpe" or self.settings.pruner != "none"

    def draw(self, number: int, before: Sequence[Tried]) -> Changes:
        """The trial of that number, from 1.

        Args:
            before: the trials before it, in their order; needed where the search is adaptive.
        """
        if self._combinations:
            return dict(zip(self.space, self._combinations[number - 1], strict=True))
        trial = self._study(number, before).ask(self._distributions())
        return {key: self._value(key, drawn) for key, drawn in trial.params.items()}

    def gives_up(self, curve: Mapping[int, float], before: Sequence[Tried]) -> bool:
        """Whether a trial with that curve so far is worse than the median of those before at the same epoch."""
        trial = self._study(len(before) + 1, before).ask()
        for epoch, value in curve.items():
            trial.report(value, epoch)
        return trial.should_prune()

    def _study(self, number: int, before: Sequence[Tried]) -> optuna.Study:
        module = _optuna()
        digest = hashlib.sha256(f"{self.settings.seed} {self.name} {number}".encode()).digest()
        seed = int.from_bytes(digest[:4], "big")
        samplers = {"random": module.samplers.RandomSampler, "tpe": module.samplers.TPESampler}
        study: optuna.Study = module.create_study(
            sampler=samplers[self.settings.sampler](seed=seed),
            pruner=module.pruners.MedianPruner(n_startup_trials=UNPRUNED),
            direction="maximize" if self.higher_is_better else "minimize",
        )
        study.add_trials(self._frozen(before))
        return study

    def _frozen(self, before: Iterable[Tried]) -> list[optuna.trial.FrozenTrial]:
        module = _optuna()
        states = module.trial.TrialState
        distributions = self._distributions()
        return [
            module.trial.create_trial(
                params={key: self._number(key, value) for key, value in tried.drawn.items() if key in distributions},
                distributions=distributions,
                value=tried.value,
                state=states.PRUNED if tried.pruned else states.FAIL if tried.value is None else states.COMPLETE,
                intermediate_values={epoch: value for epoch, value in tried.curve.items() if math.isfinite(value)},
            )
            for tried in before
        ]

    def _distributions(self) -> dict[str, optuna.distributions.BaseDistribution]:
        module = _optuna().distributions
        made: dict[str, optuna.distributions.BaseDistribution] = {}
        for key, each in self.space.items():
            match each:
                case Choice():  # by their places, since a value may be a mapping
                    made[key] = module.CategoricalDistribution(tuple(range(len(each.values))))
                case Interval(whole=True):
                    made[key] = module.IntDistribution(int(each.low), int(each.high), log=each.log)
                case Interval():
                    made[key] = module.FloatDistribution(each.low, each.high, log=each.log)
        return made

    def _value(self, key: str, drawn: Any) -> Any:
        each = self.space[key]
        return each.values[drawn] if isinstance(each, Choice) else each.value(drawn)

    def _number(self, key: str, value: Any) -> Any:
        """What was drawn for a value."""
        each = self.space[key]
        if isinstance(each, Choice):
            known = [(type(one), one) for one in each.values]  # since 1 == True
            return known.index((type(value), value))
        # 1 - (1 - x) may lie beyond the end by a rounding.
        return min(max(1 - value, each.low), each.high) if each.from_one else value


def _optuna() -> Any:
    try:
        import optuna
    except ModuleNotFoundError as error:
        raise MissingExtra("optuna", "ablate", "a search") from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna
