"""The tables: figures worked out by hand, and names that Markdown and LaTeX would take for their own."""

from __future__ import annotations

import html
import math
import re

import pytest

from ablation.studies import NASTY, make_study, small
from rnncli.ablation import markup, numbers
from rnncli.ablation.analysis import analyse
from rnncli.ablation.tables import of_study, of_task, overview

LATEX = {
    r"\textbackslash{}": "\\",
    r"\{": "{",
    r"\}": "}",
    r"\&": "&",
    r"\%": "%",
    r"\$": "$",
    r"\#": "#",
    r"\_": "_",
    r"\textasciitilde{}": "~",
    r"\textasciicircum{}": "^",
    r"\textless{}": "<",
    r"\textgreater{}": ">",
    r"\textbar{}": "|",
    r"\textasciigrave{}": "`",
    r"\textquotesingle{}": "'",
    r"\textquotedbl{}": '"',
    "$-$": "−",
    r"$\pm$": "±",
    r"$\infty$": "∞",
    "--": "–",
}
"""What LaTeX sets for each command."""


def set_by_latex(text):
    """The text that LaTeX would set; refuses what it would not set as a letter."""
    tokens = re.findall("|".join(map(re.escape, sorted(LATEX, key=len, reverse=True))) + "|.", text)
    plain = [LATEX.get(token, token) for token in tokens]
    assert not [token for token in tokens if token in set("\\{}&%$#_~^")], text
    return "".join(plain)


def set_by_markdown(text):
    """The text that Markdown would set."""
    return html.unescape(re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text))


def cells(line):
    """Of a row of a Markdown table, as GitHub splits it: at each pipe without a backslash."""
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def texts(table):
    return [[cell.text for cell in row] for row in table.rows]


@pytest.mark.parametrize(
    ("values", "deviations", "value", "expected"),
    [
        ([8.41, 8.83], [0.021, 0.034], 8.4142, "8.414"),  # two digits of the usual deviation
        ([8.41, 8.83], [0.021, 0.034], -0.4142, "−0.414"),
        ([8.41, 8.83], [0.21, 0.34], -0.004, "0.00"),  # no minus before zero
        ([8.41, 8.83], [0.0001, 0.021, 0.034], 8.4142, "8.414"),
        ([0.089, 0.091], [0.0003], 0.08912, "0.08912"),
        ([114.2, 98.0], [3.4, 2.9], 114.23, "114.2"),
        ([114.2, 98.0], [34.0], 114.23, "114"),
        ([11423.0], [], 11423.4, "11,423"),
        ([0.5, 0.25], [math.nan], 0.25, "0.2500"),  # no deviation: four digits
        ([3.0, 3.0], [0.0, 0.0], 3.0, "3.000"),
        ([1e-5, 0.1666], [1e-6, 0.01], 1.234e-5, "1.23e−05"),  # more than two decades
        ([1e-5, 0.1666], [1e-6, 0.01], 0.16667, "0.167"),
        ([0.01, 5210.0], [1.0], 5213.7, "5,214"),
        ([0.01, 5210.0], [1.0], 0.0, "0"),
        ([2e7], [1e5], 2.346e7, "2.35e+07"),
        ([8.0], [0.01], None, "–"),
        ([8.0], [0.01], math.nan, "–"),
        ([8.0], [0.01], math.inf, "–"),
        ([0.0], [0.0], 0.0, "0.0"),
        ([], [], None, "–"),
    ],
)
def test_figures_are_written_with_the_digits_that_tell(values, deviations, value, expected):
    assert numbers.writer(values, deviations)(value) == expected


def test_other_numbers():
    assert [numbers.probability(each) for each in (0.5, 0.0625, 0.001, 0.00099, math.nan, None)] == [
        *("0.500", "0.062", "0.001", "< 0.001", "–", "–"),
    ]
    assert [numbers.effect(each) for each in (1.234, -0.5, math.inf, -math.inf, math.nan)] == [
        *("+1.23", "−0.50", "+∞", "−∞", "–"),
    ]
    assert [numbers.count(each) for each in (1234567, 0, None)] == ["1,234,567", "0", "–"]
    assert [numbers.given(each) for each in (0.08782, -8.38, 1.0, None)] == ["0.08782", "−8.38", "1", "–"]
    assert [numbers.equals(each) for each in (0.0123, 1e-5)] == ["= 0.012", "< 0.001"]


def test_tables_of_a_task_by_hand():
    analysis = small(
        {"b": [2.0, 4.0, 3.0], "a": [1.0, 2.5, 2.5], "never": [None, None, None]},
        published={"": {"a": 2.125, "b": 3.5}},
    )
    values, differences, costs = of_task(analysis.tasks[0], analysis.study.paired)
    assert values.head == ["variant", "n", "done", "mean", "sd", "median", "best", "published"]
    assert texts(values) == [  # in the order of the variants
        ["b", "3", "3/3", "3.00", "1.00", "3.00", "2.00", "3.5"],
        ["a", "3", "3/3", "2.00", "0.87", "2.50", "1.00", "2.125"],
        ["never", "0", "0/3", "–", "–", "–", "–", "–"],
    ]
    assert [[cell.best for cell in row] for row in values.rows] == [
        [False] * 8,
        [False, False, False, True, False, True, True, True],
        [False] * 8,
    ]
    assert texts(differences)[0] == ["b", "baseline", *[""] * 8]
    found = texts(differences)[1]
    assert found[:2] == ["a", "−1.00"] and found[3:5] == ["3", "paired t-test"]
    assert re.fullmatch("−1.50 to −0.50", found[2])  # resampled means of −1, −1.5 and −0.5
    assert found[5] == "0.074" == found[6]  # t = −√12 with 2 degrees of freedom
    assert found[7] == "−2.00" and found[9] == "undecided"
    assert texts(differences)[2] == ["never", *["–"] * 9]
    assert texts(costs) == [["b", *"––––"], ["a", *"––––"], ["never", *"––––"]]
    assert all(len(row) == len(table.head) for table in (values, differences, costs) for row in table.rows)


def test_equal_best_values_are_all_marked():
    analysis = small({"b": [0.5, 0.75], "a": [0.75, 0.5], "c": [0.25, 0.5]}, higher=True)
    table = of_task(analysis.tasks[0], True)[0]
    assert [row[3].best for row in table.rows] == [True, True, False]


def test_the_overview_of_several_tasks():
    analysis = small(
        {
            "arith": {"Tanh": [0.25, 0.35], "GRU": [0.75, 0.95]},
            "ptb": {"Tanh": [0.0625], "GRU": [None]},
        },
        tasks=("arith", "ptb"),
        higher=True,
        published={"arith": {"Tanh": 0.29493, "GRU": 0.89565}, "ptb": {"GRU": 0.09069}},
    )
    table = overview(analysis)
    assert table.head == ["variant", "arith", "ptb"]
    assert texts(table) == [
        ["Tanh", "0.300 ± 0.071 (0.29493)", "0.06250"],
        ["GRU", "0.850 ± 0.141 (0.89565)", "– (0.09069)"],
    ]
    assert [[cell.best for cell in row] for row in table.rows] == [[False, False, True], [False, True, False]]
    assert "Them 2015" in table.note and table == of_study(analysis)[0]


def test_the_overview_of_one_task():
    analysis = small({"b": [2.0, 4.0, 3.0], "a": [1.0, 2.0, 2.4]})
    table = overview(analysis)
    assert table.head == ["variant", "done", "mean ± sd", "difference", "p (Holm)", "verdict"]
    assert texts(table)[0] == ["b", "3/3", "3.00 ± 1.00", "–", "–", "baseline"]
    assert texts(table)[1][:4] == ["a", "3/3", "1.80 ± 0.72", "−1.20"]
    assert not of_study(analysis)


def test_what_was_solved():
    analysis = small(
        {"copy-20": {"a": [0.1, 0.9], "b": [0.9, 0.9]}, "copy-100": {"a": [0.9, 0.9], "b": [None, 0.8]}},
        tasks=("copy-20", "copy-100"),
        solved=0.5,
    )
    _, solved, longest = of_study(analysis)
    assert texts(solved) == [["a", "1/2", "0/2"], ["b", "0/2", "0/2"]]
    assert "copy-20: test.nll at most 0.5" in solved.note
    assert longest.head == ["variant", "copy"] and texts(longest) == [["a", "20"], ["b", "none"]]
    assert longest.note == "Tried: copy: 20, 100."


def test_markdown_says_what_was_named():
    analysis = analyse(make_study(variants=NASTY, seeds=2, tasks=("a|b", "<i>"), name="# <b>\n"))
    tables = [*of_study(analysis), *of_task(analysis.tasks[0], True)]
    lines = markup.markdown("# <b>\n", tables, {"a *b*": ["<c>\n\n# d"]}).splitlines()
    rows = [cells(line) for line in lines if line.startswith("|")]
    expected = [line for table in tables for line in [table.head, None, *texts(table)]]
    assert len(rows) == len(expected)
    for row, wanted in zip(rows, expected, strict=True):
        if wanted is None:
            assert set(row) <= {"---", "---:"}
        else:
            assert [re.sub(r"^\*\*(.*)\*\*$", r"\1", set_by_markdown(cell)) for cell in row] == list(wanted)
    others = [line for line in lines if not line.startswith("|")]
    assert not [line for line in others if re.search(r"(?<!\\)[<*`]", line)]
    assert "- \\<c\\> # d" in others


def test_a_backslash_before_what_is_escaped():
    assert markup.escape_markdown("a\\*b") == r"a\\\*b"


def test_markdown_marks_the_best():
    table = of_task(small({"a_b": [1.0, 2.0], "c": [1.5, 3.0]}).tasks[0], True)[0]
    text = markup.markdown("t", [table], {})
    assert "| a_b | 2 | 2/2 | **1.50** |" in text and "| c | 2 | 2/2 | 2.25 |" in text


@pytest.mark.parametrize("name", ["lstm_np", "_a_", "a__b", "_", "a_ b", "x_1_y"])
def test_underscores_in_markdown(name):
    """Only those between letters are plain; the others would begin or end an emphasis."""
    escaped = markup.escape_markdown(name)
    assert set_by_markdown(escaped) == name
    assert not re.search(r"(?<![\w\\])_|(?<!\\)_(?!\w)", escaped)
    assert ("\\" in escaped) == bool(re.search(r"\b_|_\b|__", name))


def test_latex_says_what_was_named():
    analysis = analyse(make_study(variants=NASTY, seeds=2, tasks=("100 %", "a_b")))
    tables = [*of_study(analysis), *of_task(analysis.tasks[0], True)]
    text = markup.latex(tables)
    found = re.findall(r"\\begin{tabular}{(l?r*)}\n    \\toprule\n(.*?)    \\bottomrule", text, re.S)
    assert len(found) == len(tables)
    for (columns, body), table in zip(found, tables, strict=True):
        head, *rows = [line.strip() for line in body.splitlines() if line.strip() != r"\midrule"]
        assert len(columns) == len(table.head)
        for line, wanted in zip([head, *rows], [list(table.head), *texts(table)], strict=True):
            assert line.endswith(r"\\")
            parts = re.split(r"(?<!\\)&", line.removesuffix(r"\\"))
            plain = [re.sub(r"^\\textbf{(.*)}$", r"\1", part.strip()) for part in parts]
            assert [set_by_latex(part) for part in plain] == wanted
    for title, table in zip(re.findall(r"\\caption{(.*)}\n", text), tables, strict=True):
        assert set_by_latex(title) == f"{table.title}. {table.note}".strip()
    assert text.count(r"\textbf{") == sum(cell.best for table in tables for row in table.rows for cell in row)
