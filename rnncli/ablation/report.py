"""All that a study found, as files: figures for programs, tables for papers, and a page for people.

results.csv, summary.json   as `results.py` says
table.md, table.tex         every table, and below it in Markdown what holds
report.html                 all of it with figures; one file that needs no other
figures/                    the figures as SVG
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rnncli.ablation import markup, sentences
from rnncli.ablation.analysis import Analysis, analyse
from rnncli.ablation.drawing import Drawing
from rnncli.ablation.figures import draw
from rnncli.ablation.results import results_csv, summary
from rnncli.ablation.study import State, Study
from rnncli.ablation.tables import of_study, of_task
from rnncli.runs.pages import environment


def write_report(study: Study, directory: Path) -> Analysis:
    """Writes the report of a study into a directory, over one that is there. The same study gives the same bytes.

    Raises:
        MissingExtra: matplotlib, jinja2 or scipy is not installed.
        TrainingStopped, RunError: the disk is full, or the system refuses to write.
    """
    from rnncli.runs.whole_files import write_whole, writing  # it brings torch

    analysis = analyse(study)
    drawings = draw(analysis.tasks)
    tables = [*of_study(analysis), *(table for task in analysis.tasks for table in of_task(task, study.paired))]
    texts = {
        "results.csv": results_csv(analysis),
        "summary.json": json.dumps(summary(analysis), indent=1, ensure_ascii=False, allow_nan=False) + "\n",
        "table.md": markup.markdown(study.name, tables, _sections(analysis)),
        "table.tex": markup.latex(tables),
        "report.html": page(analysis, drawings),
    }
    figures = {f"{drawing.name}.svg": drawing.svg for drawing in drawings}
    with writing(directory):
        (directory / "figures").mkdir(parents=True, exist_ok=True)
    for old in sorted((directory / "figures").glob("[0-9][0-9]-*.svg")):
        if old.name not in figures:
            old.unlink()  # of tasks that there are no more
    for name, text in texts.items() | {f"figures/{name}": text for name, text in figures.items()}.items():
        write_whole(directory / name, text.encode("utf-8", errors="replace"))
    return analysis


def _sections(analysis: Analysis) -> dict[str, list[str]]:
    """Heading -> sentences of what holds."""
    found = {"What was compared": [sentences.rule(analysis), *analysis.study.about]}
    for task in analysis.tasks:
        found[f"{task.title}: what holds"] = sentences.paragraph(task, analysis.study.paired)
        if task.claims:
            lines = [sentences.CLAIM_RULE]
            for claim in task.claims:
                lines += [sentences.of_claim(claim, task), *(sentences.of_pair(pair, task) for pair in claim.pairs)]
            found[f"{task.title}: claims"] = lines
    if analysis.failures:
        found["Runs without a value"] = [sentences.of_failure(row) for row in analysis.failures]
    return found


def _states(study: Study) -> str:
    """How many runs there are, and what has become of them."""
    counts = Counter(row.state for row in study.rows)
    states: tuple[State, ...] = ("done", "failed", "pruned", "waiting")
    return f"{len(study.rows):,} runs: {', '.join(f'{counts[state]:,} {state}' for state in states if counts[state])}"


def page(analysis: Analysis, drawings: Sequence[Drawing]) -> str:
    """The page of HTML. All that users named is escaped.

    Raises:
        MissingExtra: jinja2 is not installed.
    """
    pages = environment("ablate", "an ablation's report")
    from markupsafe import Markup

    study = analysis.study
    tasks = []
    for number, task in enumerate(analysis.tasks, start=1):
        own = [drawing for drawing in drawings if drawing.name.startswith(f"{number:02d}-")]
        tasks.append(
            {
                "title": task.title,
                "sentences": sentences.paragraph(task, study.paired),
                "claims": [
                    {
                        "sentence": sentences.of_claim(claim, task),
                        "pairs": [sentences.of_pair(pair, task) for pair in claim.pairs],
                    }
                    for claim in task.claims
                ],
                "tables": of_task(task, study.paired),
                # What ElementTree has written is escaped.
                "drawings": [{"inline": Markup(each.inline), "caption": each.caption} for each in own],
            }
        )
    return pages.get_template("ablation/report.html.j2").render(
        study=study,
        states=_states(study),
        failures=analysis.failures,
        rule=sentences.rule(analysis),
        over_all=of_study(analysis),
        tasks=tasks,
        claim_rule=sentences.CLAIM_RULE,
    )
