"""Options for people, JSON Schema for editors."""

from __future__ import annotations

import json

from rnncli.config import Option, Settings, options, schema

from .example import Example

OPTIONS = {option.key + (f" [{option.when}]" if option.when else ""): option for option in options(Example)}


def test_options_in_words() -> None:
    for key, type_, default in [
        ("cell.type", "one of lstm, gru, mgu", "required"),
        ("cell.hidden_size", "whole number (greater than 0)", "required"),
        ("cell.forget_bias [cell.type: lstm]", "number", "1.0"),
        ("cell.reset [cell.type: gru, mgu]", "one of before, after", "after"),
        ("second", "keys with values, 'type' among them", "null"),
        ("second.reset [second.type: gru, mgu]", "one of before, after", "after"),
        ("stack.*.forget_bias [stack.*.type: lstm]", "number", "1.0"),
        ("data.root", "path", "null"),
        ("data.train", "path or list of paths", "null"),
        ("data.extra", "list of paths", "[]"),
        ("data.separator", "text", "','"),
        ("whole", "whole number (at least 1, at most 9)", "3"),
        ("rate", "number", "1.0e-05"),
        ("flag", "true or false", "false"),
        ("colour", "one of red, blue", "red"),
        ("rates", "list of numbers", "[]"),
        ("pair", "list of whole number, text", "null"),
        ("size", "whole number (greater than 0) or 'auto' or list of whole numbers (greater than 1)", "auto"),
        ("weights", "keys with numbers", "{}"),
        ("clip", "true or false or keys with values", "false"),
        ("clip.norm", "number (greater than 0)", "1.0"),
        ("limits.default", "whole number", "3"),
    ]:
        assert (OPTIONS[key].type, OPTIONS[key].default) == (type_, default), key
    assert "data" not in OPTIONS, "a section that is always there is no option itself"
    assert all(option.help for option in OPTIONS.values())
    assert len(OPTIONS) == len(options(Example)), "each option stands once"
    assert list(OPTIONS)[:3] == ["cell.type", "cell.hidden_size", "cell.forget_bias [cell.type: lstm]"]


def test_defaults_come_from_the_default_of_the_section() -> None:
    class Inner(Settings):
        size: int = 1
        """A size
        in units."""

    class Outer(Settings):
        inner: Inner = Inner(size=7)

    assert options(Outer) == [Option("inner.size", "whole number", "7", "A size in units.")]


def test_schema_names_the_choices_and_the_help() -> None:
    found = json.loads(json.dumps(schema(Example)))
    cell = found["properties"]["cell"]
    assert cell["discriminator"]["mapping"] == {"lstm": "#/$defs/LSTM", "gru": "#/$defs/GRU", "mgu": "#/$defs/GRU"}
    assert cell["description"] == "What is computed at each step."
    assert found["$defs"]["LSTM"]["additionalProperties"] is False
    assert found["$defs"]["LSTM"]["properties"]["hidden_size"]["description"] == "Units of the state."
    assert found["required"] == ["cell"]
    assert {"type": "array", "items": {"type": "string", "format": "path"}} in found["$defs"]["Data"]["properties"][
        "train"
    ]["anyOf"]
