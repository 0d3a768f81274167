"""The plan of an ablation as its directory keeps it, and what of it may not change."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rnncli.ablation.directory import AblationDirectory
from rnncli.ablation.plan import Plan, Planned
from rnncli.errors import RunError


class Record:
    """What `plan.json` says.

    Args:
        tasks: those that are run now; of the others stays what is there.
        about: task -> what there is to say of its variants.
    """

    def __init__(
        self, plan: Plan, directory: AblationDirectory, tasks: Collection[str], about: Mapping[str, list[str]]
    ) -> None:
        self.plan, self.directory, self.tasks, self.about = plan, directory, tasks, about
        self._before = directory.read_plan() if directory.begun else {"tasks": [], "runs": [], "about": {}}
        self._contents = {each["name"]: each["content"] for each in self._before["tasks"]}
        self._now = {task: dict(_flat(self._content(task))) for task in tasks}

    def _content(self, task: str) -> dict[str, Any]:
        """What the base config says, with what all runs change in it."""
        variant = next(iter(self.plan.variants))
        return self.plan.config(task, variant, self.plan.tasks[task].change).model_dump(mode="json")

    def write(self, runs: Sequence[Planned]) -> None:
        """Writes the plan as far as it stands."""
        plan, settings = self.plan, self.plan.settings
        self.directory.write_plan(
            settings,
            {
                "name": plan.path.stem,
                "baseline": plan.baseline,
                "variants": list(plan.variants),
                "tasks": [
                    {
                        "name": name,
                        "base": self.directory.relative(plan.base(name)),
                        "content": self._now.get(name, self._contents.get(name)),
                        "metric": task.metric,
                        "solved": task.solved,
                        "published": task.published,
                    }
                    for name, task in plan.tasks.items()
                ],
                "claims": [
                    {
                        "task": claim.task or next(iter(plan.tasks)),
                        "text": claim.order,
                        "order": order,
                        "strict": "<=" not in claim.order,
                    }
                    for claim, order in plan.claims
                ],
                "source": settings.source,
                "best": None if settings.search is None else settings.search.best,
                "about": {**self._before["about"], **self.about},
                "runs": [*self._others(), *(asdict(run) for run in runs)],
            },
        )

    def _others(self) -> list[dict[str, Any]]:
        """The runs of tasks that are left out now."""
        left_out = self.plan.tasks.keys() - set(self.tasks)
        return [each for each in self._before["runs"] if each["task"] in left_out]

    def refuse_differences(self, runs: Sequence[Planned]) -> None:
        """Compares with the plan that stands in the directory: more runs may be wanted now, but no other ones.

        Raises:
            RunError: a run that is planned there is another one now.
        """
        for task in self.tasks:
            was, now = self._contents.get(task), self._now[task]
            if was is not None:  # a key that a newer version has added is no difference
                known = {key: now[key] for key in now if key in was}
                self._refuse(f"{self.plan.base(task)}, with what all runs change in it,", was, known)
        before = {each["name"]: each["changes"] for each in self._before["runs"]}
        for run in runs:
            if run.name in before:
                now = json.loads(json.dumps(run.changes, default=str))
                self._refuse(f"the run {run.name}", before[run.name], {**dict.fromkeys(before[run.name]), **now})

    def _refuse(self, what: str, was: Mapping[str, Any], now: Mapping[str, Any]) -> None:
        for key in now:
            if was.get(key) != now[key]:
                raise RunError(
                    f"{self.directory.path}: {what} had {key} {was.get(key)!r} when the ablation began, now it is "
                    f"{now[key]!r}; --out names another place"
                )


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
