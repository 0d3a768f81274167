"""The tasks that are streams of characters, parsed back by plain Python."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from itertools import groupby

import numpy as np
import pytest

from rnncli.inputs.synthetic import arithmetic as of_arithmetic
from rnncli.inputs.synthetic.arithmetic import arithmetic
from rnncli.inputs.synthetic.drawn import Drawn
from rnncli.inputs.synthetic.memorization import CHARACTERS, memorization
from rnncli.inputs.synthetic.xml_tags import xml


def text_of(drawn: Drawn) -> str:
    return bytes(drawn.inputs).decode("ascii")


def asked_of(drawn: Drawn) -> list[str]:
    """The runs of characters that are asked for."""
    marked = zip(text_of(drawn), drawn.targets.tolist(), strict=True)
    return ["".join(c for c, _ in run) for asked, run in groupby(marked, lambda pair: pair[1]) if asked]


@pytest.mark.parametrize("length", [1, 5])
def test_letters_are_said_as_they_were_read(length: int) -> None:
    drawn = memorization(np.random.default_rng(1), 400, length)
    examples = re.findall(rf"([a-z]+)=([a-z]{{{length}}})", text_of(drawn))
    read, said = zip(*examples, strict=True)
    assert read == said and len(read) == 400 and {len(letters) for letters in read} == {length}
    assert asked_of(drawn) == list(said)
    assert set(text_of(drawn)) == set(CHARACTERS)


@pytest.mark.parametrize(("digits", "distractors"), [(1, 0.0), (3, 0.3), (8, 0.3), (18, 0.7)])
def test_answers_are_the_sums_that_python_finds(digits: int, distractors: float) -> None:
    drawn = arithmetic(np.random.default_rng(2), 3000, digits, distractors)
    text = text_of(drawn)
    assert text.endswith(".")
    examples = [example.split("=") for example in text[:-1].split(".")]
    assert len(examples) == 3000
    questions = [re.sub("[a-z]", "", question) for question, _ in examples]
    for question, (_, answer) in zip(questions, examples, strict=True):
        first, sign, second = re.fullmatch(r"(-?\d+)([+-])(\d+)", question).groups()
        assert max(abs(int(first)), int(second)) < 10**digits
        assert answer == str(int(first) + int(second) if sign == "+" else int(first) - int(second))
    assert asked_of(drawn) == [f"{answer}." for _, answer in examples]
    # As many letters behind each character as a draw repeated while it is below `distractors` gives.
    characters = sum(map(len, questions))
    letters = sum(len(question) for question, _ in examples) - characters
    expected = distractors / (1 - distractors)
    assert letters / characters == pytest.approx(expected, abs=5 * (expected * (1 + expected) / characters) ** 0.5)
    assert all(question[0] in "-0123456789" for question, _ in examples)
    signs = Counter(re.fullmatch(r"-?\d+([+-])\d+", question)[1] for question in questions)
    assert signs["+"] == pytest.approx(1500, abs=5 * 750**0.5)
    negative = sum(question.startswith("-") for question in questions) / 3000
    zero = 1 / (2 * 10**digits - 1)
    assert negative == pytest.approx((1 - zero) / 2, abs=5 * (0.25 / 3000) ** 0.5)


def test_the_vocabulary_is_that_of_the_paper() -> None:
    assert len(set(of_arithmetic.CHARACTERS)) == len(of_arithmetic.CHARACTERS) == 40
    assert set("3e36d9-h1h39f94eeh43keg3c=-13991064.+") <= set(of_arithmetic.CHARACTERS)


def test_who_sees_the_place_alone_gets_a_quarter_of_an_answer() -> None:
    asked = asked_of(arithmetic(np.random.default_rng(3), 30_000, 8, 0.3))
    of_place: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for answer in asked:
        for place, character in enumerate(answer):
            of_place[place][character] += 1
    right = sum(counts.most_common(1)[0][1] for counts in of_place.values())
    assert right / sum(map(len, asked)) == pytest.approx(0.24, abs=0.005)


def test_documents_are_well_formed() -> None:
    drawn = xml(np.random.default_rng(4), 4000)
    text = text_of(drawn)
    assert drawn.targets.all() and text.endswith("\n")
    documents = text[:-1].split("\n")
    assert len(documents) == 4000
    names, openings, moves = Counter(), Counter(), 0
    for document in documents:
        opened: list[str] = []
        tags = re.findall(r"<(/?)([a-z]+)>", document)
        assert tags and document == "".join(f"<{slash}{name}>" for slash, name in tags)
        for place, (slash, name) in enumerate(tags):
            if slash:
                assert opened.pop() == name
            else:
                assert place < 50
                opened.append(name)
                names[len(name)] += 1
            if place + 1 < min(len(tags), 50):
                openings[tags[place + 1][0] == ""] += bool(opened)
        assert not opened
        moves += len(tags)
    assert set(names) == set(range(2, 11))
    assert min(names.values()) > 0.9 * names.total() / 9
    # While tags are open and the 50 iterations are not over, opening is as likely as closing.
    assert openings[True] / openings.total() == pytest.approx(0.5, abs=5 * (0.25 / openings.total()) ** 0.5)
    letters = Counter(re.sub("[^a-z]", "", text))
    assert len(letters) == 26


@pytest.mark.parametrize(("levels", "share"), [(0, 0.299), (1, 0.474), (2, 0.534), (50, 0.646)])
def test_who_remembers_so_many_open_tags_predicts_this_share(levels: int, share: float) -> None:
    """The figures of the docstring, by the best guess of one who knows where in a tag it is."""
    text = text_of(xml(np.random.default_rng(5), 10_000))
    right, depth, remembered, name, closing = 0, 0, [""], "", False
    for before, character in zip("\n" + text, text, strict=False):
        if before in "\n>":
            guess = "<"
        elif before == "<":
            guess = "/" if depth else "e"
        elif closing and remembered:
            guess = (remembered[-1] + ">")[len(name)]
        else:
            guess = ">" if len(name) > 1 else "e"
        right += guess == character
        match character:
            case "<":
                name, closing = "", False
            case "/":
                closing = True
            case ">" if closing:
                depth, remembered = depth - 1, remembered[:-1]
            case ">":
                depth, remembered = depth + 1, [*remembered, name][-levels:] if levels else []
            case "\n":
                remembered = []
            case _:
                name += character
    assert right / len(text) == pytest.approx(share, abs=0.003)


def test_a_document_that_never_closes_is_closed_after_fifty_iterations() -> None:
    class AlwaysOpen(np.random.Generator):
        def random(self, size: object = None, dtype: object = np.float64, out: object = None) -> np.ndarray:
            return np.ones(size)

    text = text_of(xml(AlwaysOpen(np.random.PCG64(6)), 3))
    assert [line.count("<") for line in text.splitlines()] == [100, 100, 100]
    assert [line.rfind("><") > line.find("</") for line in text.splitlines()] == [True] * 3
    assert all("/" not in tag for line in text.splitlines() for tag in line.split("<")[1:51])
