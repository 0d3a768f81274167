"""What must be known of the variants before anything runs: that they can be built, their sizes, what is drawn."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from rnncli.ablation.agenda import Lane
from rnncli.ablation.collect import row
from rnncli.ablation.directory import AblationDirectory
from rnncli.ablation.matching import Costs
from rnncli.ablation.plan import Plan, higher_is_better, told
from rnncli.ablation.search import Search
from rnncli.ablation.settings import Changes, MatchSettings
from rnncli.ablation.space import Choice, Distribution, Interval, distribution, middle, whole
from rnncli.errors import ConfigError, unknown
from rnncli.metrics import METRICS
from rnncli.runs.config import RunConfig


class Preparation:
    """The runs of each variant, worked out as far as can be.

    Attributes:
        about: task -> what there is to say of its variants.
    """

    def __init__(self, plan: Plan, directory: AblationDirectory, tasks: Collection[str]) -> None:
        self.plan, self.directory, self.tasks = plan, directory, tasks
        self.about: dict[str, list[str]] = {name: [] for name in tasks}
        self._costs = Costs()
        self._sizes: dict[str, Changes] = {}

    def lanes(self) -> list[Lane]:
        """The runs of all variants, each of which is tried on the data first.

        Raises:
            ConfigError: all variants that can't be built.
        """
        written = self._written()
        mistakes: list[str] = []
        lanes = []
        for task in self.tasks:
            for variant in self.plan.variants:
                try:
                    lanes.append(self._lane(task, variant, written))
                except ConfigError as error:
                    of = self._named(task, variant)
                    placed = f"{self.plan.path}: "
                    mistakes += [
                        each if each.startswith(placed) else f"{placed}{of}: {each}" for each in error.mistakes
                    ]
        if mistakes:
            raise ConfigError(dict.fromkeys(mistakes))
        return lanes

    @staticmethod
    def _named(task: str, variant: str) -> str:
        return " of ".join(name for name in (variant, task) if name)

    def _written(self) -> dict[str, Distribution]:
        """Where the values of each key come from."""
        search = self.plan.settings.search
        return {key: distribution(text) for key, text in (search.space if search else {}).items()}

    def _lane(self, task: str, variant: str, written: Mapping[str, Distribution]) -> Lane:
        search, metric = self.plan.settings.search, self.plan.tasks[task].metric or ""
        made = None
        if search is None:
            self._try(task, variant, {})
        else:
            space = self._space(task, variant, written)
            for drawn in _each_choice(space):
                self._config(task, variant, drawn)
            self._try(task, variant, middle(space))
            made = Search(search, space, f"{task} {variant}", higher_is_better(metric))
        return Lane(self.plan, task, variant, made, self._matched, lambda run: row(self.directory, run, metric))

    def _config(self, task: str, variant: str, drawn: Changes) -> RunConfig:
        seed = self.plan.settings.all_seeds[0]
        return self.plan.config(task, variant, self.plan.run(task, variant, seed, drawn, None).changes)

    def _try(self, task: str, variant: str, drawn: Changes) -> None:
        """Builds the model of a variant, and looks whether its data can be measured by the metric."""
        settings = self._config(task, variant, {**drawn, **self._matched(task, variant, drawn)})
        self._costs.model(settings)
        part, _, metric = (self.plan.tasks[task].metric or "").partition(".")
        loader, parts = self._costs.data(settings)
        target = loader.target
        fitting = [name for name, each in METRICS.items() if each.fits(target.kind, target.names, target.scheme)]
        if metric not in fitting:
            raise ConfigError([f"metric: {unknown(f'metric for a target of kind {target.kind}', metric, fitting)}"])
        if part not in parts:
            raise ConfigError([f"metric: {part}.{metric}: the data have no {part} part; they have {', '.join(parts)}"])
        if self.plan.settings.search is not None and "valid" not in parts:
            raise ConfigError(["search: the best trials are chosen by the validation part, and the data have none"])

    def _space(self, task: str, variant: str, written: Mapping[str, Distribution]) -> dict[str, Distribution]:
        """The same, with whole numbers where the config takes no others."""
        space = dict(written)
        for key in self._whole_numbers(task, variant, written):
            each = space[key]
            try:
                space[key] = whole(each) if isinstance(each, Interval) else each
            except ValueError as error:
                raise ConfigError([f"{self.plan.path}: search.space.{key}: {error}"]) from error
        return space

    def _whole_numbers(self, task: str, variant: str, space: Mapping[str, Distribution]) -> list[str]:
        """The keys where a config refuses the middle of an interval, which is no whole number."""
        try:
            self._config(task, variant, middle(space))
        except ConfigError as error:
            refused = [each for each in error.mistakes if ": expected a whole number" in each]
            return [key for key in space if any(f" {key}: " in each for each in refused)]
        return []

    def _matched(self, task: str, variant: str, drawn: Changes) -> Changes:
        match = self.plan.tasks[task].match
        if match is None:
            return {}
        key = f"{task} {variant} {told(drawn)}"
        if key not in self._sizes:
            found = self._costs.matched(match, lambda sizes: self._config(task, variant, {**drawn, **sizes}))
            self._sizes[key] = found.changes
            self.about[task] += _said(self._named(task, variant), match, found.size, found.cost, bool(drawn))
        return self._sizes[key]


def _said(of: str, match: MatchSettings, size: int, cost: int, drawn: bool) -> Iterator[str]:
    """What there is to say of a size that was found."""
    budget, noun = (match.parameters, "parameters") if match.parameters else (match.flops, "FLOPs a step")
    off = 100 * (cost / (budget or 1) - 1)
    if not drawn:
        yield f"{of}: size {size}, {cost:,} {noun} ({off:+.2f} %)"
    if abs(off) > 1:
        yield f"{of}: no whole size comes nearer to {budget:,} {noun} than {off:+.1f} %"


def _each_choice(space: Mapping[str, Distribution]) -> Iterator[Changes]:
    """Every value that stands in a list, each with the middle of all else."""
    usual = middle(space)
    for key, each in space.items():
        for value in each.values if isinstance(each, Choice) else ():
            yield {**usual, key: value}
