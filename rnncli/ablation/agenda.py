"""What is to be done, in its order: the runs of an ablation as a source of jobs."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from rnncli.ablation.directory import AblationDirectory
from rnncli.ablation.launcher import Job, Over, Went
from rnncli.ablation.plan import Plan, Planned
from rnncli.ablation.search import Search, Tried
from rnncli.ablation.settings import Changes
from rnncli.ablation.study import Row, State
from rnncli.errors import ConfigError, RunError, UserError
from rnncli.runs.directory import RunDirectory

Sizes = Callable[[str, str, Changes], Changes]
"""Task, variant and what was drawn -> the sizes that match finds."""
Rows = Callable[[Planned], Row]
"""A planned run -> what has come of it so far."""


class Lane:
    """The runs of one variant of one task, in their order.

    Of a search that learns from its trials, or gives some of them up, one trial is under way at a time.
    """

    def __init__(self, plan: Plan, task: str, variant: str, search: Search | None, sizes: Sizes, rows: Rows) -> None:
        self.task, self.variant, self.search = task, variant, search
        self._plan, self._sizes, self._rows = plan, sizes, rows
        self.runs: list[Planned] = []
        self.states: dict[str, State] = {}
        self.unmatched: dict[str, ConfigError] = {}
        self.abandoned: list[Planned] = []
        self._left: deque[Planned] = deque()
        self._of_trial: dict[int | None, list[Planned]] = {}
        self._tried: list[Tried] = []
        if search is None:
            self._add({}, None)
        elif not search.adaptive:
            for number in range(1, search.trials + 1):
                self._add(search.draw(number, []), number)
        else:
            self.grow()

    def _add(self, drawn: Changes, trial: int | None) -> None:
        refused = None
        try:
            drawn = {**drawn, **self._sizes(self.task, self.variant, drawn)}
        except ConfigError as error:  # this trial fails, the others go on
            refused = error
        seeds = self._plan.settings.all_seeds
        runs = [self._plan.run(self.task, self.variant, seed, drawn, trial) for seed in seeds]
        if refused is not None:
            self.unmatched |= dict.fromkeys((run.name for run in runs), refused)
        self._of_trial[trial] = runs
        self.runs += runs
        self._left += runs
        self.states |= {run.name: self._rows(run).state for run in runs}
        self._settle(trial)

    def _settle(self, trial: int | None) -> None:
        """Where the first seed of a trial was given up or has failed, the others are not run."""
        first, *others = self._of_trial[trial]
        state = self.states[first.name]
        if self.watched(first) and state in ("pruned", "failed"):
            waiting = [run for run in others if self.states[run.name] == "waiting"]
            self.states |= dict.fromkeys((run.name for run in waiting), state)
            self.abandoned += waiting

    def grow(self) -> bool:
        """Draws the next trial of an adaptive search when all runs of the last are over; whether it did."""
        search, grown = self.search, False
        while search is not None and search.adaptive and self.trials < search.trials:
            before = self.tried()
            if len(before) < self.trials:
                break
            self._add(search.draw(self.trials + 1, before), self.trials + 1)
            grown = True
        return grown

    def retry(self) -> None:
        """Begins again what has failed.

        Raises:
            RunError: later trials were drawn as they are since it has failed.
        """
        failed = [name for name, state in self.states.items() if state == "failed"]
        if failed and self.search is not None and self.search.settings.sampler == "tpe":
            raise RunError(f"--retry: sampler tpe has drawn the trials after {failed[0]} as it is: failed")
        self.states |= dict.fromkeys(failed, "waiting")
        self._left = deque(self.runs)
        self._tried.clear()

    @property
    def trials(self) -> int:
        """Trials that have been drawn."""
        return 0 if self.search is None else len(self._of_trial)

    @property
    def planned(self) -> int:
        """Runs that there will be."""
        return len(self.runs) if self.search is None else self.search.trials * len(self._plan.settings.all_seeds)

    def tried(self) -> Sequence[Tried]:
        """The trials that are over, up to the first that is not."""
        while len(self._tried) < self.trials:
            runs = self._of_trial[len(self._tried) + 1]
            if any(self.states[run.name] == "waiting" for run in runs):
                break
            rows = [self._rows(run) for run in runs]
            known = [row.chosen_by for row in rows if row.chosen_by is not None]
            keys = self.search.space if self.search else ()
            drawn = {key: value for key, value in runs[0].changes.items() if key in keys}
            value = math.fsum(known) / len(known) if len(known) == len(rows) else None
            self._tried.append(Tried(drawn, value, self.states[runs[0].name] == "pruned", rows[0].by_epoch))
        return self._tried

    def next(self) -> Planned | None:
        """The first run that may begin now; the other seeds of a watched trial wait for what becomes of its first."""
        while self._left and self.states[self._left[0].name] != "waiting":
            self._left.popleft()
        if not self._left:
            return None
        run = self._left[0]
        first = self._of_trial[run.trial][0]
        return None if first is not run and self.watched(first) and self.states[first.name] != "done" else run

    def take(self) -> Planned:
        """Takes the next run off the list."""
        return self._left.popleft()

    def watched(self, run: Planned) -> bool:
        """Whether a run may be given up: that of the first seed of a trial."""
        if self.search is None or self.search.settings.pruner == "none":
            return False
        return self._of_trial[run.trial][0] is run

    def ended(self, run: Planned, state: State) -> None:
        """Takes in how a run ended."""
        self.states[run.name] = state
        if self.watched(run):
            self._settle(run.trial)

    def goes_on(self, run: Planned, curve: Mapping[int, float]) -> bool:
        """Whether a watched run may go on, after what its validation metric was so far."""
        return self.search is None or not self.search.gives_up(curve, self.tried()[: (run.trial or 1) - 1])

    def by_epoch(self, run: Planned) -> dict[int, float]:
        """What stands of the curve of a run: that of a sitting before, where it was begun in one."""
        return dict(self._rows(run).by_epoch)


class Agenda:
    """All runs, seed by seed and variant by variant, so that what is there after a while can be compared.

    Args:
        retry: begin again what has failed.
        changed: called when a run was added.
    """

    def __init__(
        self, plan: Plan, directory: AblationDirectory, lanes: list[Lane], retry: bool, changed: Callable[[], None]
    ) -> None:
        self.plan, self.directory, self.lanes, self.changed = plan, directory, lanes, changed
        self._lane_of = {(lane.task, lane.variant): lane for lane in lanes}
        self._curves: dict[str, dict[int, float]] = {}
        self._tasks = {name: place for place, name in enumerate(plan.tasks)}
        self._variants = {name: place for place, name in enumerate(plan.variants)}
        self._seeds = {seed: place for place, seed in enumerate(plan.settings.all_seeds)}
        self._abandon()
        if retry:
            for lane in lanes:
                lane.retry()

    @property
    def runs(self) -> list[Planned]:
        """All runs that are planned so far."""
        return sorted((run for lane in self.lanes for run in lane.runs), key=self._order)

    @property
    def planned(self) -> int:
        """How many runs there will be."""
        return sum(lane.planned for lane in self.lanes)

    def states(self) -> list[State]:
        """Of all runs that are planned so far."""
        return [state for lane in self.lanes for state in lane.states.values()]

    def _order(self, run: Planned) -> tuple[int, int, int, int]:
        return self._tasks[run.task], run.trial or 0, self._seeds[run.seed], self._variants[run.variant]

    def take(self) -> Job | None:
        while True:
            if sum(lane.grow() for lane in self.lanes):
                self._abandon()
                self.changed()
            run = min((run for lane in self.lanes if (run := lane.next()) is not None), key=self._order, default=None)
            if run is None:
                return None
            lane = self._lane(run)
            lane.take()
            try:
                if run.name in lane.unmatched:
                    raise lane.unmatched[run.name]
                self.directory.write_config(run.name, self.plan.config(run.task, run.variant, run.changes))
            except UserError as error:
                RunDirectory(self.directory.run(run.name)).write_failure("failed", str(error))
                self._over(run, "failed")
                continue
            config, path = self.directory.config(run.name), self.directory.run(run.name)
            return Job(run, config, path, lane.watched(run))

    def ended(self, over: Over) -> None:
        self._over(over.job.planned, over.state)

    def _over(self, run: Planned, state: State) -> None:
        self._lane(run).ended(run, state)
        self._abandon()

    def _abandon(self) -> None:
        """Says in the directories of runs that will not be why."""
        for lane in self.lanes:
            for run in lane.abandoned:
                state = lane.states[run.name]
                how = "was given up" if state == "pruned" else "has failed"
                reason = f"not begun, since the first seed of its trial {how}"
                RunDirectory(self.directory.run(run.name)).write_failure(state, reason)
            lane.abandoned.clear()

    def goes_on(self, went: Went) -> bool:
        run = went.job.planned
        lane, value = self._lane(run), went.values.get(self._metric(run))
        if value is None or not math.isfinite(value):
            return True
        if run.name not in self._curves:
            self._curves[run.name] = lane.by_epoch(run)
        curve = self._curves[run.name]
        curve[went.epoch] = value
        return lane.goes_on(run, curve)

    def _metric(self, run: Planned) -> str:
        return (self.plan.tasks[run.task].metric or "").partition(".")[2]

    def _lane(self, run: Planned) -> Lane:
        return self._lane_of[run.task, run.variant]
