"""Tables as Markdown and as LaTeX; what users named is escaped."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from rnncli.ablation.tables import Cell, Table

_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "`": r"\textasciigrave{}",
    "'": r"\textquotesingle{}",
    '"': r"\textquotedbl{}",
    "−": "$-$",
    "±": r"$\pm$",
    "∞": r"$\infty$",
    "×": r"$\times$",
    "–": "--",
}
# Intraword underscores are plain in Markdown, and the names of cells are full of them.
_MARKDOWN = re.compile(r"([\\`*\[\]<>|~$&])|((?<![^\W_])_|_(?![^\W_]))")


def markdown(title: str, tables: Sequence[Table], sections: Mapping[str, Sequence[str]]) -> str:
    """A page: the tables below their titles, then sections of sentences."""
    parts = [f"# {escape_markdown(title)}"]
    for table in tables:
        parts += [f"## {escape_markdown(table.title)}", _markdown_table(table)]
        parts += [escape_markdown(table.note)] if table.note else []
    for heading, lines in sections.items():
        parts += [f"## {escape_markdown(heading)}", "\n".join(f"- {escape_markdown(line)}" for line in lines)]
    return "\n\n".join(parts) + "\n"


def latex(tables: Sequence[Table]) -> str:
    """Floats to be put into a document that loads booktabs."""
    return "% \\usepackage{booktabs}, \\usepackage[T1]{fontenc}, \\usepackage{textcomp}\n\n" + "\n".join(
        map(_latex_table, tables)
    )


def escape_markdown(text: str) -> str:
    """On one line, with nothing in it that Markdown or HTML would take for its own."""
    return _MARKDOWN.sub(r"\\\g<0>", _one_line(text))


def escape_latex(text: str) -> str:
    """On one line, with nothing in it that LaTeX would take for its own."""
    return "".join(_LATEX.get(letter, letter) for letter in _one_line(text))


def _markdown_table(table: Table) -> str:
    lines = [[escape_markdown(name) for name in table.head], ["---", *["---:"] * (len(table.head) - 1)]]
    lines += [[_marked(cell, escape_markdown(cell.text), "**{}**") for cell in row] for row in table.rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _latex_table(table: Table) -> str:
    rows = [" & ".join(escape_latex(name) for name in table.head)]
    rows += [" & ".join(_marked(cell, escape_latex(cell.text), "\\textbf{{{}}}") for cell in row) for row in table.rows]
    head, *body = (f"    {row} \\\\" for row in rows)
    caption = f"{escape_latex(table.title)}. {escape_latex(table.note)}".strip()
    return "\n".join(
        [
            "\\begin{table}",
            "  \\centering\\footnotesize",
            f"  \\caption{{{caption}}}",
            f"  \\begin{{tabular}}{{l{'r' * (len(table.head) - 1)}}}",
            "    \\toprule",
            head,
            "    \\midrule",
            *body,
            "    \\bottomrule",
            "  \\end{tabular}",
            "\\end{table}\n",
        ]
    )


def _marked(cell: Cell, escaped: str, mark: str) -> str:
    return mark.format(escaped) if cell.best else escaped


def _one_line(text: str) -> str:
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in " ".join(text.split()))
