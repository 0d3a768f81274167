import pytest
from pydantic import ValidationError

from rnncli.inputs.pairs.settings import PairsSettings

PIECES = {"units": "sentencepiece"}
TWO = {"source": "a.en", "target": "a.de"}


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"train": {"source": "a", "target": "a"}}, "source and target are one file"),
        ({"train": TWO, "format": "csv"}, "format: the two files of a part are lines"),
        ({"columns": ["a", "b"], "format": "jsonl"}, "columns: names the columns of CSV and TSV alone"),
        ({"separator": ";", "format": "tsv"}, "separator: is for CSV alone"),
        ({"target": {"column": "source"}}, "target.column: is the source's column"),
        ({"source": {"sentencepiece_size": 9}}, "source.sentencepiece_size: is for units: sentencepiece"),
        ({"target": {"sentencepiece_size": 9}}, "target.sentencepiece_size: is for units: sentencepiece"),
        ({"source": {"remove": "("}}, "is no regular expression"),
        ({"source": {"columns": ["a"]}}, "source.columns: is for kind: values"),
        ({"source": {"kind": "values"}}, "columns: is missing"),
        ({"source": {"kind": "values", "columns": ["a", "a"]}}, "columns: a name stands twice"),
        ({"source": {"kind": "values", "columns": ["a"], "column": "b"}}, "source.column: kind: values reads"),
        ({"train": TWO, "source": {"kind": "values", "columns": ["a"]}}, "values are columns of a table"),
        ({"format": "files"}, "with format: files the source is a class"),
        ({"format": "dictionary", "source": {"kind": "class"}}, "the words of a dictionary are texts"),
        ({"source": {"kind": "class"}, "several_references": True}, "several_references: is for sources of kind"),
        ({"source": {"kind": "class"}, "shared_vocabulary": True}, "shared_vocabulary: is for sources of kind: text"),
        ({"source": PIECES, "shared_vocabulary": True}, "shared_vocabulary: needs the same units on both sides"),
        ({"source": {"min_count": 2}, "shared_vocabulary": True}, "shared_vocabulary: needs the same min_count"),
        ({"valid": "v", "split": {"valid": 0.2}}, "split.valid: data.valid has files of its own"),
    ],
)
def test_options_that_would_do_nothing_are_refused(settings, sentence):
    with pytest.raises(ValidationError) as refused:
        PairsSettings(loader="pairs", **({"train": "a.csv"} | settings))
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    "option", [{"units": "character"}, {"lowercase": True}, {"remove": "x"}, {"min_count": 2}, {"max_length": 3}]
)
@pytest.mark.parametrize("kind", [{"kind": "class"}, {"kind": "values", "columns": ["a"]}])
def test_options_of_texts_are_refused_where_the_source_is_none(option, kind):
    [name] = option
    with pytest.raises(ValidationError, match=rf"source\.{name}: is for kind: text"):
        PairsSettings(loader="pairs", train="a.csv", source=kind | option)


def test_settings_as_they_are_written_down_are_read_again():
    for train in ("a.csv", ["a.csv", "b.csv"], TWO):
        made = PairsSettings(loader="pairs", train=train, shared_vocabulary=True, source=PIECES, target=PIECES)
        assert PairsSettings(**made.model_dump(mode="json")) == made
