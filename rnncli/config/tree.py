"""The value of a YAML text, each part of it with its place."""

from __future__ import annotations

from typing import TypeAlias, cast

import yaml

from rnncli.config.yaml12 import CORE, MERGE, SCALAR_TAGS, Loader, Place, Problem, scalar

Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | None"
Location: TypeAlias = "tuple[str | int, ...]"

MOST_NODES = 100_000
"""Values after the expansion of anchors; a config that needs more is an attack or an accident."""


class Tree:
    """The value of a YAML text, with the places of keys and values.

    Attributes:
        value: plain data; keys are text as written, so `{1: a}` has the key "1".
        keys, values: location -> where its key or value begins. A block begins at its key.
        problems: mistakes that leave the rest readable, such as a key given twice.

    Raises:
        yaml.YAMLError: the text is not YAML.
        RecursionError: it is nested too deeply.
    """

    def __init__(self, text: str, text_type: type[str] = str) -> None:
        self.keys: dict[Location, Place] = {}
        self.values: dict[Location, Place] = {}
        self.problems: list[Problem] = []
        self._text_type = text_type
        self._nodes = 0
        self._open: set[int] = set()
        root = yaml.compose(text, Loader)
        self.value: Value = None if root is None else self._build(root, ())
        self.empty = root is None

    def _build(self, node: yaml.Node, location: Location) -> Value:
        scalar_or_flow = isinstance(node, yaml.ScalarNode) or cast(yaml.CollectionNode, node).flow_style
        place = Place.of(node.start_mark)
        self.values[location] = place if scalar_or_flow else self.keys.get(location, place)
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise yaml.MarkedYAMLError(
                problem=f"the anchors expand to more than {MOST_NODES} values", problem_mark=node.start_mark
            )
        if id(node) in self._open:
            return self._wrong(node, "an anchor holds an alias of itself")
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode) and node.tag == f"{CORE}map":
                return self._mapping(node, location)
            if isinstance(node, yaml.SequenceNode) and node.tag == f"{CORE}seq":
                return [self._build(item, (*location, index)) for index, item in enumerate(node.value)]
            if isinstance(node, yaml.ScalarNode):
                return self._scalar(node)
            return self._wrong(node, _refused(node.tag))
        finally:
            self._open.remove(id(node))

    def _mapping(self, node: yaml.MappingNode, location: Location) -> dict[str, Value]:
        value: dict[str, Value] = {}
        for key, item in node.value:
            if key.tag == MERGE:
                value = {**self._merged(item, location), **value}
        own: dict[str, Place] = {}
        for key, item in node.value:
            if key.tag == MERGE:
                continue
            place = Place.of(key.start_mark)
            if not isinstance(key, yaml.ScalarNode):
                self._wrong(key, "a key must be text")
            elif key.tag not in SCALAR_TAGS:
                self._wrong(key, _refused(key.tag))
            elif key.value in own:
                self._wrong(key, f"the key {key.value!r} is given twice, first on line {own[key.value].line}")
            else:
                own[key.value] = self.keys[*location, key.value] = place
                value[key.value] = self._build(item, (*location, key.value))
        return value

    def _merged(self, node: yaml.Node, location: Location) -> dict[str, Value]:
        """The value of `<<`: a mapping, or a list of which the first that has a key wins."""
        value: dict[str, Value] = {}
        place = self.values[location]
        sources = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for source in reversed(sources):
            built = self._build(source, location)
            if isinstance(built, dict):
                value.update(built)
            else:
                self._wrong(source, "<< takes a mapping or a list of mappings")
        self.values[location] = place
        return value

    def _scalar(self, node: yaml.ScalarNode) -> Value:
        if node.tag not in SCALAR_TAGS:
            return self._wrong(node, _refused(node.tag))
        try:
            return scalar(node, self._text_type)
        except ValueError as error:
            return self._wrong(node, str(error))

    def _wrong(self, node: yaml.Node, text: str) -> Value:
        self.problems.append(Problem(Place.of(node.start_mark), text))
        return None


def _refused(tag: str) -> str:
    return f"the tag {tag.replace(CORE, '!!')} is not allowed; a config holds plain values only"
