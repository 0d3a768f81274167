"""Options of an ablation. Nothing here needs torch."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from rnncli.config.document import Mistake
from rnncli.config.explaining import explained
from rnncli.config.paths import InputPath
from rnncli.config.settings import Settings
from rnncli.config.tree import Location
from rnncli.errors import unknown

Changes = dict[str, Any]
Figure = Annotated[float, Field(allow_inf_nan=False)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]
_MOST = 10_000
"""Variants, seeds or trials; more than that is a slip of the pen."""
_SIZE = "match finds that size"
_GIVEN = {"training.seed": "seeds gives it", "training.threads": "threads_per_run gives it"}


class MatchSettings(Settings):
    """An equal budget for every variant: its size is solved for."""

    parameters: int | None = Field(None, ge=1)
    """Trainable numbers that the model of every variant is to have."""

    flops: int | None = Field(None, ge=1)
    """Floating-point operations of all recurrent layers for one step of one sequence."""

    sizes: list[str] = Field(["model.cell.hidden_size"], min_length=1)
    """Keys that take the size that is found."""

    @model_validator(mode="after")
    def _one_budget(self) -> MatchSettings:
        if (self.parameters is None) == (self.flops is None):
            raise ValueError("match takes one of parameters and flops")
        return self


class SearchSettings(Settings):
    """Several draws of other options for each variant, of which the best are compared."""

    trials: int | None = Field(None, ge=1, le=_MOST)
    """Draws for each variant; a grid has as many as there are combinations."""

    space: dict[str, str | list[Any]] = Field(min_length=1)
    """Key -> where its value is drawn from: uniform 0 1, log-uniform 20 200, 1 - log-uniform 0.01 1, or a list."""

    sampler: Literal["random", "grid", "tpe"] = "random"
    """Independent draws, every combination of lists, or Optuna's tree-structured Parzen estimator, which learns from
    the trials before."""

    pruner: Literal["none", "median"] = "none"
    """Whether a trial is given up that is worse than the median of the trials before at the same epoch (Optuna)."""

    best: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    """Trials that stand for a variant, chosen by the metric on the validation part: their number, or below 1 their
    share."""

    seed: int = Field(1, ge=0)
    """Seed of the draws."""

    @model_validator(mode="after")
    def _nothing_idle(self) -> SearchSettings:
        if self.best >= 1 and self.best != int(self.best):
            raise ValueError(f"best: {self.best:g} is neither a number of trials nor a share below 1")
        if self.sampler == "grid":
            drawn = [key for key, values in self.space.items() if isinstance(values, str)]
            if drawn:
                raise ValueError(f"space.{drawn[0]}: a grid takes a list of values for each key")
            if self.trials is not None:
                raise ValueError("trials: a grid has as many trials as there are combinations of its lists")
        elif self.trials is None:
            raise ValueError(f"trials: sampler {self.sampler} needs their number")
        trials = self.trials or math.prod(len(values) for values in self.space.values())
        if trials > _MOST:
            raise ValueError(f"space: a grid of {trials:,} combinations; at most {_MOST:,}")
        if 0 < trials < self.best:
            raise ValueError(f"best: {self.best:g} of {trials} trials")
        if self.pruner == "median" and self.sampler == "grid":
            raise ValueError("pruner: a grid is looked at as a whole; take sampler random or tpe")
        return self


class TaskSettings(Settings):
    """One of several tasks; what it does not say is as for all."""

    base: InputPath | None = None
    """Config of the runs."""

    change: Changes = Field(default_factory=dict)
    """Key -> value of what all runs of this task change in it."""

    metric: str | None = None
    """Part and name of the metric that is compared, as in test.accuracy."""

    match: MatchSettings | None = None
    """An equal budget for every variant."""

    solved: Figure | None = None
    """Value of the metric from which on a run counts as having solved the task."""

    published: dict[str, Figure] = Field(default_factory=dict)
    """Variant -> figure of a paper, to stand beside ours."""


class ClaimSettings(Settings):
    """An ordering that somebody has claimed."""

    task: str | None = None
    """The task that it is about; needed where there are several."""

    order: str
    """Variants from worst to best with < between them, or <= where the next is only claimed to be no worse; those with
    commas between them are not compared."""


class AblationSettings(Settings):
    """Variants of a run, each with several seeds, and what they are compared by."""

    base: InputPath | None = None
    """Config of the runs."""

    tasks: dict[str, TaskSettings] = Field(default_factory=dict)
    """Several tasks by their names, each an ablation of the same variants."""

    change: Changes = Field(default_factory=dict)
    """Key -> value of what all runs change in their base."""

    variants: dict[str, Changes] = Field(default_factory=dict)
    """Name -> what that variant changes, key by key."""

    vary: dict[str, Annotated[list[Any], Field(min_length=1)]] = Field(default_factory=dict)
    """Key -> its values; every combination is a variant."""

    one_at_a_time: bool = False
    """Change one key of vary at a time, from the baseline, instead of all combinations."""

    search: SearchSettings | None = None
    """Several draws of other options for each variant, of which the best are compared."""

    match: MatchSettings | None = None
    """An equal budget for every variant."""

    seeds: Annotated[int, Field(ge=1, le=_MOST)] | Annotated[list[Seed], Field(min_length=1)] = 5
    """How many seeds, counted from 1, or the seeds themselves; every variant has the same."""

    baseline: str | Changes | None = None
    """Variant that the others are compared with, by its name or by what it changes; the first if not given."""

    metric: str | None = None
    """Part and name of the metric that is compared, as in test.accuracy."""

    solved: Figure | None = None
    """Value of the metric from which on a run counts as having solved the task."""

    published: dict[str, Figure] = Field(default_factory=dict)
    """Variant -> figure of a paper, to stand beside ours."""

    source: str = ""
    """What the published figures are from."""

    claims: list[ClaimSettings] = Field(default_factory=list)
    """Orderings that were claimed; the report says which of them hold."""

    threads_per_run: int = Field(1, ge=1, le=1024)
    """Threads of the CPU for each run, however many run at once."""

    settings: dict[str, Changes] = Field(default_factory=dict)
    """Name -> changes of this file's own keys that --setting NAME asks for."""

    @property
    def all_seeds(self) -> list[int]:
        """The seeds of every variant."""
        return self.seeds if isinstance(self.seeds, list) else list(range(1, self.seeds + 1))

    @property
    def all_tasks(self) -> dict[str, TaskSettings]:
        """The tasks with all that they need; one without a name where there are not several."""
        one = {"": TaskSettings(solved=self.solved, published=self.published)}
        return {name: self._filled(task) for name, task in (self.tasks or one).items()}

    def _filled(self, task: TaskSettings) -> TaskSettings:
        own = {"base": task.base or self.base, "metric": task.metric or self.metric, "match": task.match or self.match}
        return task.model_copy(update=own | {"change": merged(flat(self.change), flat(task.change))})

    @model_validator(mode="after")
    def _complete(self) -> AblationSettings:
        mistakes = [*self._missing(), *self._idle(), *self._overruled()]
        if mistakes:
            raise explained(mistakes, type(self).__name__)
        return self

    def _missing(self) -> Iterator[Mistake]:
        if not (self.variants or self.vary):
            yield Mistake((), "there is nothing to compare: give vary or variants")
        if "" in self.variants or "" in self.tasks:
            yield Mistake(("variants" if "" in self.variants else "tasks",), "one has no name")
        count = math.prod(len(values) for values in self.vary.values()) * max(1, len(self.variants))
        if count > _MOST:
            yield Mistake(("vary",), f"{count:,} variants; at most {_MOST:,}")
        for name, task in self.all_tasks.items():
            of, place = (f"of the task {name}", ("tasks", name)) if name else ("of the runs", ())
            if task.base is None:
                yield Mistake((*place, "base"), f"the config {of} is not given")
            if task.metric is None:
                yield Mistake((*place, "metric"), f"nothing to compare by is given {of}, as in metric: test.accuracy")
        seeds = self.all_seeds
        if len(set(seeds)) < len(seeds):
            yield Mistake(("seeds",), "one stands there twice")

    def _idle(self) -> Iterator[Mistake]:
        if self.tasks:
            for key in ("solved", "published"):
                if getattr(self, key):
                    yield Mistake((key,), "with tasks each has its own")
        if self.one_at_a_time and not (self.vary and isinstance(self.baseline, dict)):
            yield Mistake(("one_at_a_time",), "needs vary, and the baseline's value of each of its keys")
        if self.one_at_a_time and self.variants:
            yield Mistake(("one_at_a_time",), "variants are changed as a whole; leave one of the two out")
        if self.one_at_a_time and isinstance(self.baseline, dict):
            for key in sorted(self.vary.keys() - flat(self.baseline).keys()):
                yield Mistake(("baseline",), f"one_at_a_time needs the baseline's value of {key}")
        for place, claim in enumerate(self.claims):
            if len(self.tasks) > 1 and claim.task is None:
                yield Mistake(("claims", place), f"of which task is {claim.order!r}? give its task")
            if claim.task is not None and claim.task not in self.tasks:
                wrong = unknown("task", claim.task, self.tasks) if self.tasks else "there are no tasks"
                yield Mistake(("claims", place, "task"), wrong)

    def _overruled(self) -> Iterator[Mistake]:
        """Keys whose values would be replaced in every run."""
        space = set(self.search.space) if self.search else set()
        sizes = {name: set(task.match.sizes) if task.match else set() for name, task in self.all_tasks.items()}
        named = {name: flat(changes) for name, changes in self.variants.items()}
        by_match = dict.fromkeys(set.intersection(*sizes.values()), _SIZE) | _GIVEN
        by_search = dict.fromkeys(space, "search draws it") | by_match
        by_vary = dict.fromkeys(self.vary, "vary has it too") | by_search
        by_all = dict.fromkeys(set.intersection(*map(set, named.values())) if named else (), "each variant has its own")
        places: list[tuple[Location, Iterable[str], Changes]] = [
            (("search", "space"), space, dict.fromkeys(set.union(*sizes.values()), _SIZE) | _GIVEN),
            (("vary",), self.vary, by_search),
            *((("variants", name), changes, by_vary) for name, changes in named.items()),
            (("change",), flat(self.change), by_all | by_vary),
            *(
                (("tasks", name, "change"), flat(task.change), by_all | by_vary | dict.fromkeys(sizes[name], _SIZE))
                for name, task in self.tasks.items()
            ),
        ]
        for place, keys, above in places:
            yield from (Mistake((*place, key), above[key], on_key=True) for key in sorted(keys) if key in above)


def flat(changes: Mapping[str, Any], prefix: str = "") -> Changes:
    """Dotted key -> value. Keys below others are joined to them; a mapping with a type, loader or file is one value."""
    found: Changes = {}
    for key, value in changes.items():
        whole = not isinstance(value, Mapping) or not value or {"type", "loader", "file"} & value.keys()
        found = merged(found, {prefix + key: value} if whole else flat(value, f"{prefix}{key}."))
    return found


def merged(*layers: Mapping[str, Any]) -> Changes:
    """Changes on top of one another: of a key the last value, put where it was said last.

    Their order counts: model.cell takes the place of what model.cell.hidden_size has set before it.
    """
    found: Changes = {}
    for key, value in (item for layer in layers for item in layer.items()):
        found.pop(key, None)
        found[key] = value
    return found
