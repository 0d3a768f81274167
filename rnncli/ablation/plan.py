"""From the settings of an ablation to its runs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rnncli import config
from rnncli.ablation.settings import AblationSettings, Changes, TaskSettings, flat, merged
from rnncli.ablation.space import distribution
from rnncli.ablation.variants import baseline_of, order_of, variants
from rnncli.config.document import Document, Mistake
from rnncli.config.overrides import Change, change, parsed
from rnncli.config.tree import Location
from rnncli.config.writing import inline, shown
from rnncli.errors import ConfigError, unknown
from rnncli.metrics import METRICS
from rnncli.runs.config import RunConfig
from rnncli.runs.reading import read_config

PARTS = ("test", "valid")
_DOTTED = re.compile(
    r"(?P<place>(tasks\.[^.]+\.)?(change|published)|vary|baseline|search\.space|variants\.[^.]+)\.(?P<key>.+)"
)
"""Keys of an ablation below which dotted keys or names stand."""


@dataclass(frozen=True)
class Planned:
    """One run of an ablation.

    Attributes:
        trial: number of the draw of a search, from 1; None without a search.
        changes: dotted key -> value of all that it changes in the base config.
        name: of its directory, relative to that of the ablation's runs.
    """

    task: str
    variant: str
    trial: int | None
    seed: int
    changes: Changes
    name: str


class Plan:
    """The tasks and variants of an ablation, and the configs that come of them.

    Args:
        settings: as `read_ablation` has checked them.

    Attributes:
        path: of the ablation's file.
    """

    def __init__(self, settings: AblationSettings, path: Path) -> None:
        self.settings, self.path = settings, path
        self.tasks = settings.all_tasks
        self.variants = variants(settings)
        self.baseline = baseline_of(settings, self.variants)
        self.claims = [(claim, order_of(claim, self.variants)) for claim in settings.claims]
        self._folders = _folders([name for name in (*self.tasks, *self.variants) if name])

    def base(self, task: str) -> Path:
        """The base config of a task."""
        found = self.tasks[task].base
        if found is None:
            raise ValueError("a task without a base is refused before")
        return found

    def run(self, task: str, variant: str, seed: int, drawn: Changes, trial: int | None) -> Planned:
        """The run of one seed of a variant.

        Args:
            drawn: what search and match add to the variant.
        """
        own = {"training.seed": seed, "training.threads": self.settings.threads_per_run}
        changes = merged(self.tasks[task].change, self.variants[variant], drawn, own)
        folders = [self._folders[name] for name in (task, variant) if name]
        folders += [f"trial-{trial:03}"] if trial is not None else []
        return Planned(task, variant, trial, seed, changes, "/".join([*folders, f"seed-{seed}"]))

    def config(self, task: str, variant: str, changes: Mapping[str, Any]) -> RunConfig:
        """The config with these changes.

        Raises:
            ConfigError: all that is wrong with it, with the task and variant.
        """
        own = f"{self.path}: {' of '.join(name for name in (variant, task) if name)}"
        shared = self.tasks[task].change
        wanted = []
        for key, value in flat(changes).items():
            of_all = key not in self.variants[variant] and key in shared and shared[key] is value
            origin = f"{self.path}: change" if of_all else own
            wanted.append(Change(key, value, f"{origin}: {key}: {shown(value)}", self.path.parent))
        return read_config(self.base(task), wanted)


def _wrong(settings: AblationSettings) -> Iterator[Mistake]:
    """What no key says by itself: names of variants and metrics that do not exist, draws that can't be made."""
    for key, text in (settings.search.space if settings.search else {}).items():
        try:
            distribution(text)
        except ValueError as error:
            yield Mistake(("search", "space", key), str(error))
    try:
        found = variants(settings)
    except ValueError as error:
        yield Mistake(("vary",), str(error))
        return
    try:
        baseline_of(settings, found)
    except ValueError as error:
        yield Mistake(("baseline",), str(error))
    for number, claim in enumerate(settings.claims):
        try:
            order_of(claim, found)
        except ValueError as error:
            yield Mistake(("claims", number, "order"), str(error))
    places: dict[Location, AblationSettings | TaskSettings] = {
        ("tasks", name): task for name, task in settings.tasks.items()
    }
    for place, each in ({(): settings} | places).items():
        if each.metric is not None and (wrong := _wrong_metric(each.metric)):
            yield Mistake((*place, "metric"), wrong)
        for name in each.published:
            if name not in found:
                yield Mistake((*place, "published", name), unknown("variant", name, found), on_key=True)


def _wrong_metric(name: str) -> str | None:
    """What is wrong with the name of a metric to compare by."""
    part, dot, metric = name.partition(".")
    if not dot or part not in PARTS:
        return f"expected a part and a metric, as in test.accuracy, found {name!r}"
    return None if metric in METRICS else unknown("metric", metric, METRICS)


def higher_is_better(metric: str) -> bool:
    """The direction of a metric named with its part."""
    return METRICS[metric.partition(".")[2]].higher_is_better


def read_ablation(path: Path, setting: str | None, overrides: Sequence[str]) -> AblationSettings:
    """The settings in a file, with those of one of its named settings and overrides on top.

    Overrides of the keys of a run's config (training.epochs=3) hold for all runs.

    Raises:
        ConfigError: all mistakes.
    """
    written = Document(path).value
    asked: list[str | Change] = []
    if setting is not None:
        origin = f"{path}: settings.{setting}"
        for key, value in _setting(path, written, setting).items():
            asked += _placed(written, Change(key, value, f"{origin}: {key}: {shown(value)}", path.parent))
    for command in overrides:
        try:
            key, value = parsed(command)
        except ValueError:
            asked.append(command)  # which is refused with all else
        else:
            asked += _placed(written, Change(key, value, f"--set {command}", path.parent))
    return config.read(path, AblationSettings, asked, _wrong)


def _setting(path: Path, written: Mapping[str, Any], name: str) -> Changes:
    named = written.get("settings")
    if not isinstance(named, Mapping) or not named:
        raise ConfigError([f"{path}: --setting {name}: the file names no settings"])
    if name not in named:
        raise ConfigError([f"{path}: --setting: {unknown('setting', name, named)}"])
    found = named[name]
    return flat(found) if isinstance(found, Mapping) else {}  # what is none is refused with all else


def _placed(written: dict[str, Any], wanted: Change) -> Iterator[Change]:
    """What a change comes to in the ablation's own keys; each of them is put into `written`.

    A run's key is changed for all runs. Where dotted keys stand, such as under vary, what follows is one of them.
    """
    keys = [wanted.key]
    if wanted.key.split(".")[0] in RunConfig.model_fields:
        tasks = written.get("tasks")
        own = [name for name, task in tasks.items() if _held(task, "change")] if isinstance(tasks, Mapping) else []
        keys = [f"{place}.{wanted.key}" for place in ("change", *(f"tasks.{name}.change" for name in own))]
    for key in keys:
        made, found = replace(wanted, key=key), _DOTTED.fullmatch(key)
        held = _held(written, found["place"]) if found else None
        if found and (held is None or isinstance(held, Mapping)):
            below = {found["key"]: wanted.value}
            made = replace(wanted, key=found["place"], value=merged(flat(held or {}), flat(below)))
        with suppress(ValueError):  # it is refused with all else
            change(written, made)
        yield made


def _held(written: Any, key: str) -> Any:
    """What stands at a dotted key; None where nothing does."""
    for step in key.split("."):
        written = written.get(step) if isinstance(written, Mapping) else None
    return written


def _folders(names: Sequence[str]) -> dict[str, str]:
    """Name -> name of a folder; of letters that every file system has, and no two the same."""
    found: dict[str, str] = {}
    for name in names:
        plain = re.sub(r"[^\w.+=-]+", "_", name, flags=re.ASCII).strip("_.")[:80] or "variant"
        taken = {each.lower() for each in found.values()}
        number, folder = 2, plain
        while folder.lower() in taken:
            folder, number = f"{plain}-{number}", number + 1
        found[name] = folder
    return found


def told(changes: Mapping[str, Any]) -> str:
    """Changes on one line."""
    return ", ".join(f"{key}={inline(value)}" for key, value in changes.items())
