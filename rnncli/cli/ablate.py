"""`rnncli ablate`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Literal

import typer

from rnncli.cli.options import Overrides, Quiet
from rnncli.errors import Interrupted, RnncliError, UserError
from rnncli.runs.process import things_that_last


def ablate(
    config: Annotated[
        Path, typer.Argument(metavar="ABLATION", help="The YAML file; with --report the directory of an ablation.")
    ],
    set_: Overrides = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="The directory to make or go on with; ablations/<ABLATION> or <ABLATION>-<setting>."
        ),
    ] = None,
    setting: Annotated[
        str | None, typer.Option("--setting", metavar="NAME", help="One of the settings that the file names.")
    ] = None,
    task: Annotated[
        list[str] | None,
        typer.Option("--task", metavar="NAME", help="Run this task only, of several; can be repeated."),
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", "-j", metavar="N", min=1, help="Runs at the same time.")] = 1,
    launcher: Annotated[
        Literal["local", "ray"],
        typer.Option(metavar="NAME", help="local: processes of this machine; ray: a Ray cluster."),
    ] = "local",
    retry: Annotated[bool, typer.Option("--retry", help="Begin again the runs that have failed.")] = False,
    report: Annotated[bool, typer.Option("--report", help="Make the report anew from the runs of DIR alone.")] = False,
    quiet: Quiet = False,
) -> None:
    """Train variants of a config with several seeds each, and say what their differences are worth.

    Interrupted, the same command goes on where it was; finished runs are never repeated. A run that fails is a row with
    its reason, and the others go on: the command itself has failed only where no run is done. The report is made of the
    runs alone: results.csv, summary.json, table.md, table.tex and report.html.
    """
    with things_that_last():
        from rnncli.ablation.plan import Plan, read_ablation
    from rnncli.cli.ablation_screen import run_ablation, show_report

    if report:
        idle = {"set": set_, "out": out, "setting": setting, "task": task, "retry": retry}
        idle |= {"jobs": jobs != 1, "launcher": launcher != "local"}
        for name, given in idle.items():
            if given:
                raise UserError(f"--{name}: --report runs nothing, so that it would do nothing; leave it out")
        if not config.is_dir():
            raise UserError(f"{config}: --report takes the directory of an ablation")
        show_report(config, quiet=quiet)
        return
    if config.is_dir():
        raise UserError(f"{config}: is a directory; --report makes its report, an ablation's file goes on with it")
    plan = Plan(read_ablation(config, setting, set_ or []), config)
    search = plan.settings.search
    if launcher == "ray" and search is not None and search.pruner != "none":
        raise UserError(
            f"search.pruner: {search.pruner}: a run on Ray can't be given up after an epoch; take --launcher local, or "
            "pruner none"
        )
    directory = out if out is not None else Path("ablations") / "-".join(filter(None, (config.stem, setting)))
    try:
        run_ablation(plan, directory, tasks=task or [], jobs=jobs, launcher=launcher, retry=retry, quiet=quiet)
    except Interrupted as error:
        words = ["rnncli", "ablate", str(config), *(word for each in set_ or [] for word in ("--set", each))]
        words += ["--setting", setting] if setting is not None else []
        words += [word for each in task or [] for word in ("--task", each)]
        words += ["--out", str(directory), "--jobs", str(jobs), "--launcher", launcher]
        go_on = f"stopped; the runs that were on their way are saved; go on with: {shlex.join(words)}"
        raise Interrupted(go_on, error.exit_code - 128) from error
    if not any(row.state == "done" for row in show_report(directory, quiet=quiet)):
        raise RnncliError(f"{directory}: no run is done; table.md says why, and --retry begins again what has failed")
