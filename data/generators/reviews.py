"""Reviews of films and products, positive or negative.

Half of all opinions are said by denying their opposite ("far from boring"), and what follows "but" outweighs what
stands before it: single words say little, their order says it all. One review in thirty has the wrong label.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from generators.table import table
from generators.wording import phrases, words

GOOD = {
    "film": words("good great brilliant lovely funny clever gripping moving fresh witty convincing memorable tense"),
    "product": words("good great brilliant lovely sturdy solid smooth reliable handy elegant quiet precise practical"),
}
BAD = {
    "film": words("bad awful weak dreadful dull boring clumsy stale slow predictable shallow messy forgettable"),
    "product": words("bad awful weak dreadful cheap flimsy noisy useless ugly annoying wobbly fragile awkward"),
}
PARTS = {
    "film": words("plot acting script ending music dialogue cast story camera pacing humour soundtrack"),
    "product": words("battery screen handle sound packaging manual fabric lid zip charger colour build"),
}
THINGS = {"film": words("film movie sequel comedy"), "product": words("kettle lamp headset backpack phone")}
STRONG = words("very really truly quite rather simply extremely")
DENIED = phrases(
    "not {a}|not {a} at all|not {s} {a}|far from {a}|anything but {a}|never {a}|hardly {a}|by no means {a}"
)
PLAIN = phrases("{a}|{s} {a}|{a}|{s} {a}|not only {a} but {s} {b}|nothing but {a}|{a} and {b}")
FILLER = {
    "film": phrases(
        "my brother took me to this {t} | we saw it on a rainy evening | this was my first {t} in years | "
        "the hall was half empty | it runs for two hours | i had read the book before"
    ),
    "product": phrases(
        "i bought this {t} two weeks ago | my brother gave me this {t} | it came in a brown box | "
        "my neighbour has the same {t} | it took a week to get here | i use it every day"
    ),
}
VERDICT = phrases("all in all it is {o}|in the end the {t} is {o}|overall i found it {o}|for me this {t} was {o}")
CLAUSE = phrases("the {n} is {o}|the {n} was {o}|i found the {n} {o}|the {n} felt {o}")
SHIFT = phrases("{x} , but {y}|although {x} , {y}|{x} ; still , {y}|granted , {x} , yet {y}")


def opinion(random: Random, kind: str, positive: bool) -> str:
    """An adjective phrase that says good or bad, straight or by denying the opposite."""
    denied = random.random() < 0.5
    a, b = random.sample((GOOD if positive != denied else BAD)[kind], 2)
    return random.choice(DENIED if denied else PLAIN).format(a=a, b=b, s=random.choice(STRONG))


def review(random: Random, positive: bool) -> str:
    kind = random.choice(list(THINGS))
    thing, parts = random.choice(THINGS[kind]), random.sample(PARTS[kind], 2)

    def clause(holds: bool) -> str:
        return random.choice(CLAUSE).format(n=parts.pop(), o=opinion(random, kind, holds))

    if random.random() < 0.6:
        sentences = [random.choice(SHIFT).format(x=clause(not positive), y=clause(positive))]
    else:
        sentences = [clause(positive)]
    if random.random() < 0.5:
        sentences.append(random.choice(VERDICT).format(t=thing, o=opinion(random, kind, positive)))
    if random.random() < 0.5:
        sentences.insert(random.randrange(2), random.choice(FILLER[kind]).format(t=thing))
    return " . ".join(sentences) + " ."


def files() -> Iterator[tuple[str, str]]:
    random = Random("reviews")
    number = 1000
    for part, count in (("train", 2000), ("valid", 400), ("test", 400), ("new", 20)):
        rows = []
        for _ in range(count):
            number += 1
            positive = random.random() < 0.54
            text = review(random, positive)
            labelled = positive != (random.random() < 1 / 30)
            label = "positive" if labelled else "negative"
            rows.append((number, text) if part == "new" else (number, text, label))
        header = ("id", "text") if part == "new" else ("id", "text", "label")
        yield f"reviews/{part}.csv", table(header, rows)
