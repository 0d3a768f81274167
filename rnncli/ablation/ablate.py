"""An ablation from its file to its runs, as a generator of events; the report is made of the runs alone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator
from dataclasses import dataclass
from pathlib import Path

from rnncli.ablation.agenda import Agenda
from rnncli.ablation.directory import AblationDirectory
from rnncli.ablation.launcher import Launcher, RunTold
from rnncli.ablation.plan import Plan
from rnncli.ablation.preparing import Preparation
from rnncli.ablation.record import Record
from rnncli.errors import Interrupted, UserError, unknown
from rnncli.runs.signals import stop_between_steps


@dataclass(frozen=True)
class Ready:
    """The plan stands; nothing of it has begun in this sitting.

    Attributes:
        about: what there is to say of the plan.
    """

    agenda: Agenda
    about: list[str]


AblationEvent = Ready | RunTold


def ablate(
    plan: Plan,
    path: Path,
    launcher: Callable[[AblationDirectory], Launcher],
    *,
    tasks: Collection[str] = (),
    retry: bool = False,
) -> Generator[AblationEvent, None, None]:
    """Runs what is left of an ablation, in the directory `path`.

    Args:
        tasks: run only these; all where none is named.
        retry: begin again what has failed.

    Raises:
        UserError: plan, data or directory can't be used.
        Interrupted: a signal asked to stop; the runs that were on their way are saved.
    """
    for name in tasks:
        if name not in plan.tasks:
            raise UserError(f"{plan.path}: {unknown('task', name, plan.tasks)}")
    directory = AblationDirectory(path)
    with directory.locked():
        chosen = tasks or list(plan.tasks)
        prepared = Preparation(plan, directory, chosen)
        record = Record(plan, directory, chosen, prepared.about)
        agenda = Agenda(plan, directory, prepared.lanes(), retry, lambda: record.write(agenda.runs))
        record.refuse_differences(agenda.runs)
        record.write(agenda.runs)
        yield Ready(agenda, [line for lines in prepared.about.values() for line in lines])
        with stop_between_steps() as asked:
            yield from launcher(directory)(agenda, asked)
        if asked.signal is not None:
            raise Interrupted("stopped; the runs that were on their way are saved", asked.signal)
