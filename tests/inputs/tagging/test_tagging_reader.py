"""Files in columns, good and bad."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnncli.errors import DataError, UserError
from rnncli.inputs.tagging.columns import CONLLU, Columns, is_conllu
from rnncli.inputs.tagging.reader import sentences
from rnncli.inputs.tagging.settings import TaggingSettings

CONLLU_TEXT = (
    "# sent_id = 1\n"
    "1-2\tdon't\t_\t_\t_\t_\t_\t_\t_\t_\n"
    "1\tdo\tdo\tAUX\tVBP\t_\t0\troot\t_\t_\n"
    "2\tn't\tnot\tPART\tRB\t_\t1\tadvmod\t_\t_\n"
    "2.1\tghost\tghost\tVERB\tVB\t_\t_\t_\t_\t_\n"
    "\n"
    "1\t#tag\t#tag\tX\tADD\t_\t0\troot\t_\t_\n"
)


def columns(conllu: bool = False, **options: object) -> Columns:
    settings = TaggingSettings.model_validate({"loader": "tagging", "train": [Path("train")], **options})
    return Columns.of(settings, conllu)


def read(path: Path, of: Columns, encoding: str = "utf-8", tagged: bool = True) -> tuple[list[list[str]], list[str]]:
    """token/tag of each token of each sentence, and the messages of bad ones."""
    messages: list[str] = []
    found = sentences(path, of, encoding, lambda bad: messages.append(str(bad)), tagged=tagged)
    told = [[f"{row[of.token]}/{row[of.tag]}" if tagged else row[0] for row in one.rows] for one in found]
    return told, messages


@pytest.mark.parametrize(
    "text",
    [
        "EU B-ORG\nrejects O\n\nPeter B-PER\n",
        "EU B-ORG\nrejects O\n\n\n\t\n \nPeter B-PER",
        "-DOCSTART- -X-\n\nEU B-ORG\nrejects\tO\n\t\nPeter B-PER\n",
        "EU B-ORG\n-DOCSTART- O\nPeter B-PER\n".replace("\n-D", "\nrejects O\n-D"),
        "\ufeffEU B-ORG\r\nrejects  O \r\n\r\nPeter B-PER\r\n",
    ],
    ids=["plain", "white space between", "-DOCSTART-", "-DOCSTART- alone", "BOM and CRLF"],
)
def test_sentences_end_where_they_should(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.conll"
    path.write_bytes(text.encode())
    assert read(path, columns()) == ([["EU/B-ORG", "rejects/O"], ["Peter/B-PER"]], [])


def test_lines_are_counted_as_an_editor_does(tmp_path: Path) -> None:
    path = tmp_path / "a.conll"
    path.write_text("% a\nEU B\n% b\nrejects O\n\nx O\n")
    found = list(sentences(path, columns(comment="%"), "utf-8", lambda bad: None, tagged=True))
    assert [one.lines for one in found] == [[2, 4], [6]]


def test_columns_by_number_and_separator(tmp_path: Path) -> None:
    path = tmp_path / "a.conll"
    path.write_text("1|New York|x|B\n2|is|y|O\n")
    assert read(path, columns(separator="|", token_column=1))[0] == [["New York/B", "is/O"]]
    assert read(path, columns(separator="|", token_column=-3, tag_column=2))[0] == [["New York/x", "is/y"]]


def test_only_spaces_and_tabs_part_columns(tmp_path: Path) -> None:
    path = tmp_path / "a.conll"
    path.write_text("10\u00a0000 NUM\n\u3000 X\n", encoding="utf-8")
    assert read(path, columns())[0] == [["10\u00a0000/NUM", "\u3000/X"]]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [["do/AUX", "n't/PART"], ["#tag/X"]]),
        ({"token_column": "LEMMA", "tag_column": "DEPREL"}, [["do/root", "not/advmod"], ["#tag/root"]]),
        ({"tag_column": 4}, [["do/VBP", "n't/RB"], ["#tag/ADD"]]),
    ],
)
def test_conllu(tmp_path: Path, options: dict[str, object], expected: list[list[str]]) -> None:
    path = tmp_path / "a.conllu"
    path.write_text(CONLLU_TEXT)
    assert read(path, columns(conllu=True, **options)) == (expected, [])


@pytest.mark.parametrize(
    ("name", "format", "expected"),
    [
        ("a.conllu.gz", "auto", True),
        ("a.CONLLU", "auto", True),
        ("a.txt", "auto", None),
        ("a.txt", "conllu", True),
        ("a.conllu", "conll", False),
    ],
)
def test_format_by_name(name: str, format: str, expected: bool | None) -> None:
    settings = TaggingSettings.model_validate({"loader": "tagging", "train": [Path("t")], "format": format})
    assert is_conllu(settings, Path(name)) is expected


def test_column_names_are_checked() -> None:
    with pytest.raises(UserError, match=r"data\.tag_column: unknown column of CoNLL-U 'UPSO'; did you mean 'UPOS'"):
        columns(conllu=True, tag_column="UPSO")
    with pytest.raises(UserError, match=r"data\.token_column: columns have names, such as 'FORM', in CoNLL-U only"):
        columns(token_column="FORM")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a O\nb\nc\n\nd O\n", ":2: has 1 column where a token and its tag are needed"),
        ("a O\n\udcff O\n\nd O\n", ":2: byte 0xff"),
    ],
    ids=["missing column", "bad bytes"],
)
def test_a_bad_line_costs_its_sentence_only(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "a.conll"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    told, messages = read(path, columns())
    assert told == [["d/O"]]
    assert len(messages) == 1 and messages[0].startswith(f"{path}{message}")


def test_too_few_columns_and_empty_cells(tmp_path: Path) -> None:
    path = tmp_path / "a.conll"
    path.write_text("a\tx\tO\n\nb\tO\n\n\tx\tO\n\nc\tx\t\n\nd\tx\tO\n")
    told, messages = read(path, columns(separator="\t", tag_column=2))
    assert told == [["a/O"], ["d/O"]]
    assert [message.removeprefix(f"{path}:") for message in messages] == [
        "3: has 2 columns, but the tag is wanted from column 2 (data.tag_column)",
        "5: its token (column 0) is empty",
        "7: its tag (column 2) is empty",
    ]


def test_conllu_has_ten_columns(tmp_path: Path) -> None:
    path = tmp_path / "a.conllu"
    path.write_text("1\tdo\tAUX\n")
    assert read(path, columns(conllu=True))[1] == [f"{path}:1: has 3 columns, CoNLL-U has {len(CONLLU)}"]


def test_a_token_alone_needs_no_other_columns(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("EU\nrejects\n\nPeter\n")
    assert read(path, columns(token_column=1), tagged=False) == ([["EU", "rejects"], ["Peter"]], [])


def test_other_encodings(tmp_path: Path) -> None:
    path = tmp_path / "a.conll"
    path.write_bytes("Zürich B\n".encode("latin-1"))
    assert read(path, columns(), "latin-1")[0] == [["Zürich/B"]]


def test_an_error_may_be_raised_by_the_caller(tmp_path: Path) -> None:
    path = tmp_path / "a.conll"
    path.write_text("a O\nb\n")

    def stop(bad: DataError) -> None:
        raise bad

    with pytest.raises(DataError, match=r"a\.conll:2"):
        list(sentences(path, columns(), "utf-8", stop, tagged=True))
