"""The page: whole, harmless, and the same each time."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ablation.studies import NASTY, make_study
from rnncli.ablation.markup import escape_markdown, latex
from rnncli.ablation.report import write_report
from rnncli.ablation.results import results_csv, summary
from rnncli.ablation.sentences import paragraph, rule
from rnncli.ablation.study import Claim, Row, Study, TaskOfStudy
from rnncli.ablation.tables import of_task
from rnncli.errors import MissingExtra, RunError

VOID = {"meta", "br", "hr", "img", "link", "input"}
KNOWN = {
    *(
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "h1",
        "h2",
        "h3",
        "p",
        "ul",
        "li",
        "a",
        "div",
        "table",
        "thead",
    ),
    *("tbody", "tr", "th", "td", "figure", "figcaption", "svg", "g", "path", "defs", "use", "text", "tspan"),
    *("clippath", "rect"),
}
"""All that the page has; what a user named makes none of them more."""
FILES = {"results.csv", "summary.json", "table.md", "table.tex", "report.html"}


class Page(HTMLParser):
    """Refuses what is not closed in its order, and what the page should not have."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        assert not re.search(r"<(?![a-zA-Z/!])", text)
        self.open, self.texts, self.ids, self.links = [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        if tag not in VOID:
            self.open.append(tag)
        self._look(tag, attributes)

    def handle_startendtag(self, tag, attributes):
        self._look(tag, attributes)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    def _look(self, tag, attributes):
        assert tag in KNOWN, tag
        for key, value in attributes:
            assert not key.startswith("on") and key not in ("src", "srcset", "xlink:href")
            if key == "id":
                self.ids.append(value)
            if key == "href":
                assert value.startswith("#"), value
                self.links.append(value[1:])
            self.links += re.findall(r"url\(#([^)]*)\)", value or "")
            if key != "aria-label":
                assert "url(" not in (value or "").replace("url(#", "")


def page(directory):
    return Page((directory / "report.html").read_text(encoding="utf-8"))


def words(text):
    return " ".join(text.split())


def test_the_page_is_whole_and_escapes_what_users_named(tmp_path):
    bad = "Traceback <b>&amp;\n  line 2</td></table><img src=x onerror=alert(1)>"
    claims = [Claim("<i>task", "NFG < 'vanilla' & <u>", [[NASTY[0]], [NASTY[1], NASTY[3]]])]
    study = make_study(
        variants=NASTY,
        tasks=("<i>task", "tâche & 2"),
        seeds=3,
        name="<title></title>",
        reason=bad,
        failed={(NASTY[1], 2)},
        published={NASTY[0]: 8.1},
        claims=claims,
        solved=8.2,
    )
    write_report(study, tmp_path)
    found = page(tmp_path)
    assert len(found.ids) == len(set(found.ids))
    assert set(found.links) <= set(found.ids) and "failures" in found.links
    for name in [*NASTY, *(task.name for task in study.tasks), study.name, study.source, claims[0].text]:
        assert any(words(name) in words(text) for text in found.texts), name
    assert found.texts.count(bad) == 2  # one of each task, with its line break
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"https?://|@import", text)
    figures = {path.name for path in (tmp_path / "figures").iterdir()}
    assert figures == {f"{task:02d}-{kind}.svg" for task in (1, 2) for kind in ("values", "curves", "costs")}
    assert {path.name for path in tmp_path.iterdir()} == FILES | {"figures"}


def test_the_same_study_gives_the_same_bytes(tmp_path):
    """In another process, with other hashes, over a report that was there."""
    here, there = tmp_path / "here", tmp_path / "there"
    arguments = "variants=NASTY[:2], seeds=5, solved=8.1, published={NASTY[1]: 8.0}"
    study = make_study(variants=NASTY[:2], seeds=5, solved=8.1, published={NASTY[1]: 8.0})
    write_report(study, here)
    write_report(study, here)
    code = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[1])!r})
from pathlib import Path
import matplotlib
matplotlib.rcParams.update({{"font.size": 20, "svg.fonttype": "path", "axes.facecolor": "red", "axes.grid": True}})
from ablation.studies import NASTY, make_study
from rnncli.ablation.markup import escape_markdown, latex
from rnncli.ablation.report import write_report
from rnncli.ablation.results import results_csv, summary
from rnncli.ablation.sentences import paragraph, rule
write_report(make_study({arguments}), Path({str(there)!r}))
assert matplotlib.rcParams["font.size"] == 20
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    files = sorted(path.relative_to(here) for path in here.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(there) for path in there.rglob("*") if path.is_file())
    assert len(files) == len(FILES) + 3
    for file in files:
        assert (here / file).read_bytes() == (there / file).read_bytes(), file


def test_the_files_hold_what_is_tested_elsewhere(tmp_path):
    study = make_study(
        variants=NASTY[:2], seeds=3, failed={(NASTY[1], 2)}, claims=[Claim("jsb", "x", [[NASTY[0]], [NASTY[1]]])]
    )
    analysis = write_report(study, tmp_path)
    assert (tmp_path / "results.csv").read_bytes().decode() == results_csv(analysis)
    assert json.loads((tmp_path / "summary.json").read_text(encoding="utf-8")) == summary(analysis)
    tables = of_task(analysis.tasks[0], True)
    assert (tmp_path / "table.tex").read_text(encoding="utf-8") == latex(tables)
    text = (tmp_path / "table.md").read_text(encoding="utf-8")
    said = [*paragraph(analysis.tasks[0], True), rule(analysis), "jsb, ", "x: "]
    assert all(escape_markdown(each) in text for each in [*(table.title for table in tables), *said])


def test_figures_of_tasks_that_are_no_more_are_taken_away(tmp_path):
    write_report(make_study(seeds=2, tasks=("a", "b")), tmp_path)
    (tmp_path / "figures" / "of my own.svg").write_text("kept")
    write_report(make_study(seeds=2), tmp_path)
    assert {path.name for path in (tmp_path / "figures").iterdir()} == {
        *("01-values.svg", "01-curves.svg", "01-costs.svg", "of my own.svg"),
    }


def rows(values):
    """Rows of variants with these values; None waits."""
    return [
        Row("", name, None, seed, "waiting" if value is None else "done", "", value, value, {}, [], "p")
        for name, each in values.items()
        for seed, value in enumerate(each)
    ]


@pytest.mark.parametrize(
    ("values", "says", "figures"),
    [
        ({"a": [None, None], "b": [None]}, "No run is done yet", set()),
        ({"a": [None, None], "b": [1.0, 2.0]}, "The baseline a has no run that is done", {"01-values.svg"}),
        ({"a": [1.0], "b": [2.0]}, "No test for b", {"01-values.svg"}),
        ({"a": [1.0, 1.5, 2.5], "b": [None, None, None]}, "No other variant", {"01-values.svg"}),
        ({"a": [1.0, 1.0, 1.0], "b": [1.0, 1.0, 1.0]}, "No difference from a can be told for b", {"01-values.svg"}),
        ({"a": [1.0, 1.0, 1.0], "b": [2.0, 2.0, 2.0]}, "a has a mean", {"01-values.svg"}),
        ({"a": [0.0, 0.0], "b": [0.0, -1.0]}, "a has a mean", {"01-values.svg"}),
        ({"a": [1e-300, 1e300], "b": [1e12, 1e-12]}, "a has a mean", {"01-values.svg"}),
        ({"a": [1.0, 2.0, None], "b": [None, None, 3.0]}, "No test for b", {"01-values.svg"}),
    ],
)
@pytest.mark.parametrize("claimed", [False, True])
def test_there_is_always_a_report(tmp_path, values, says, figures, claimed):
    task = TaskOfStudy("", "test.nll", False, "a", solved=1.25, published={})
    claims = [Claim("", "b < a", [["b"], ["a"]])] if claimed else []
    write_report(Study("s", [task], list(values), rows(values), claims), tmp_path)
    found = page(tmp_path)
    assert any(says in text for text in found.texts)
    assert {path.name for path in (tmp_path / "figures").iterdir()} == figures
    assert {path.name for path in tmp_path.iterdir()} == FILES | {"figures"}
    assert not any(re.search(r"\bnan\b|\binf\b|None", text) for text in found.texts)


def test_a_search_of_many_trials(tmp_path):
    study = make_study(variants=[f"v{number}" for number in range(9)], seeds=1, trials=200, best=0.1)
    analysis = write_report(study, tmp_path)
    assert [each.spread.n for each in analysis.tasks[0].variants] == [20] * 9
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert text.count('class="best"') == 3 and "&lt; 0.001" in text
    assert any("trials of different variants are no pairs" in text for text in page(tmp_path).texts)


@pytest.mark.parametrize("package", ["matplotlib", "jinja2", "scipy"])
def test_a_package_that_is_missing(tmp_path, monkeypatch, package):
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtra, match=rf"needs the package {package}: pip install 'rnncli\[ablate\]'"):
        write_report(make_study(seeds=2), tmp_path / "report")
    assert not (tmp_path / "report").exists()


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="can't be written"):
        write_report(make_study(seeds=2), tmp_path / "file")
