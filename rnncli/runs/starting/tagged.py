"""Tagged sentences in columns: which column is the token, which the tag, and how tags write spans."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from rnncli.errors import UserError
from rnncli.inputs.files import suffix
from rnncli.inputs.tagging.columns import BLANKS, CONLLU
from rnncli.runs.starting.draft import Draft, Line, training
from rnncli.runs.starting.head import Head, look
from rnncli.runs.starting.siblings import Parts


def looks_tagged(head: Head) -> bool:
    """Blank lines between sentences, and lines of equally many columns with few different tags."""
    rows = [BLANKS.split(line.strip()) for line in head.filled if not line.startswith("#")]
    if not rows or len(head.filled) > len(head.lines) * 0.98:
        return False
    widths = Counter(map(len, rows))
    width, count = widths.most_common(1)[0]
    tags = Counter(row[-1] for row in rows)
    return width >= 2 and count >= 0.95 * len(rows) and len(tags) <= max(2, len(rows) // 4)


def draft_tagging(parts: Parts, task: str | None) -> Draft:
    """A config for a file in columns.

    Raises:
        UserError: the file can't serve the task.
    """
    if task == "many-to-one":
        raise UserError(
            f"{parts.train}: has a tag for each token, and task many-to-one gives one answer for a sentence; allowed: "
            "many-to-many, or one-to-one for each token by itself"
        )
    head = look(parts.train)
    conllu = suffix(parts.train) == ".conllu" or _is_conllu(head)
    comment = "#" if not conllu and _has_comments(head) else None
    told = [line for line in head.filled if not ((conllu or comment) and line.startswith("#"))]
    told = [line for line in told if not line.startswith("-DOCSTART-")]
    tabs = not conllu and _needs_tabs(told)
    rows = [line.split("\t") if tabs or conllu else BLANKS.split(line.strip(" \t")) for line in told]
    if not rows or min(map(len, rows)) < 2:
        raise UserError(
            f"{parts.train}: has lines of one column where tagging needs a token and its tag in every line, and blank "
            "lines between sentences"
        )
    sentences = _sentences(head)
    task = task or "many-to-many"
    draft = Draft(Line("task", task, "a tag for each token"), head.seen("lines"))
    draft.data = [Line("encoding", head.encoding, "not UTF-8; a guess")] if head.encoding != "utf-8" else []
    if conllu:
        tags = [row[3] for row in rows if len(row) == len(CONLLU) and row[0].isdigit()]
        if suffix(parts.train) != ".conllu":
            draft.data.append(Line("format", "conllu", "ten columns, the first a number"))
        draft.data.append(Line("tag_column", "UPOS", f"{len(set(tags))} tags seen; XPOS or DEPREL would be others"))
    else:
        tags = [row[-1] for row in rows]
        draft.data += _columns(rows, tabs, comment)
        if suffix(parts.train) not in (".conll", ".bio", ".iob", ".iob2"):
            draft.data.append(Line("format", "conll", "columns, and blank lines between sentences"))
    scheme = scheme_of(tags)
    if scheme is not None:
        kinds = sorted({tag[2:] for tag in tags if tag != "O"})
        shown = ", ".join(kinds[:4]) + (", ..." if len(kinds) > 4 else "")
        draft.data.append(Line("scheme", scheme, f"spans of {len(kinds)} types: {shown}"))
    draft.data += [
        Line("lowercase", True, "the words; characters and capitals are taken as they stand"),
        Line("digits", True, "every digit is read as 0"),
        Line("min_count", 2, "tokens seen once teach what an unknown one is like"),
        Line("characters", True, "spelling helps with unknown tokens"),
        Line("capitals", True),
    ]
    draft.split = parts.drawn(sentences)
    _network(draft, task, sentences, scheme)
    return draft


def scheme_of(tags: list[str]) -> str | None:
    """The scheme in which tags write spans; None where they don't."""
    if "O" not in tags or any(tag != "O" and tag[1:2] != "-" for tag in tags):
        return None
    prefixes = {tag[0] for tag in tags if tag != "O"}
    if not prefixes or not prefixes <= set("BIES"):
        return None
    if prefixes & set("ES"):
        return "BIOES"
    begun = Counter(tag[0] for before, tag in pairwise(["O", *tags]) if tag != "O" and before[1:] != tag[1:])
    return "IOB1" if begun["I"] > begun["B"] else "BIO"


def _is_conllu(head: Head) -> bool:
    rows = [line.split("\t") for line in head.filled if not line.startswith("#")]
    return bool(rows) and all(len(row) == len(CONLLU) for row in rows) and rows[0][0].split("-")[0].isdigit()


def _has_comments(head: Head) -> bool:
    """Lines that begin with # and have other columns than the rest."""
    begun = [line for line in head.filled if line.startswith("# ")]
    rest = Counter(len(BLANKS.split(line.strip())) for line in head.filled if not line.startswith("#"))
    return bool(begun and rest) and any(len(BLANKS.split(line.strip())) not in rest for line in begun)


def _needs_tabs(lines: list[str]) -> bool:
    """Whether tabs part the columns and blanks stand within them."""
    by_tab = {line.count("\t") for line in lines}
    return len(by_tab) == 1 and by_tab != {0} and any(" " in line for line in lines)


def _columns(rows: list[list[str]], tabs: bool, comment: str | None) -> list[Line]:
    said = [Line("separator", "\t", "blanks stand within the columns")] if tabs else []
    if comment:
        said.append(Line("comment", comment, "lines that begin so are no tokens"))
    width = min(map(len, rows))
    token = 0
    if width > 2:
        # A running number is no token.
        token = next((k for k in range(width - 1) if not all(row[k].isdigit() for row in rows)), 0)
    distinct = len({row[-1] for row in rows})
    said.append(Line("token_column", token, f"{width} columns; {rows[0][token]} is the first token"))
    said.append(Line("tag_column", -1, f"the last column, {distinct} different tags seen"))
    return said


def _sentences(head: Head) -> int:
    """About how many sentences the whole file has."""
    ends = sum(not after.strip() and bool(before.strip()) for before, after in pairwise([*head.lines, ""]))
    return round(max(ends, 1) * head.count / len(head.lines))


def _network(draft: Draft, task: str, sentences: int, scheme: str | None) -> None:
    small = sentences < 2000
    draft.model = [
        Line("cell", {"type": "lstm", "hidden_size": 64 if small else 100}, f"about {sentences:,} sentences")
    ]
    if task == "many-to-many":
        draft.model.append(Line("bidirectional", True, "the whole sentence is there when it is read"))
    draft.model.append(Line("embedding_size", 64 if small else 100))
    draft.model.append(
        Line("dropout", {"embedding": 0.5 if small else 0.3}, "against overfitting; more of it for fewer sentences")
    )
    if task == "many-to-many" and scheme is not None:
        draft.model.append(
            Line(
                "head",
                {"type": "crf", "constrain": True},
                "tags chosen together, in an order the scheme allows",
            )
        )
    draft.training = training(
        epochs=30 if small else 10, patience=5 if small else 3, batch_size=16 if small else 32, learning_rate=0.003
    )
