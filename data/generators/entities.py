"""News sentences with persons, places and organisations in BIO.

Names are put together from parts whose endings hint at what they are (-son, -burg, -tech), so that letters help with
names never seen. Some names are several things (Jordan, Lincoln, Florence), firms are called after persons and towns,
and some capitals are no names at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from generators.wording import phrases, words

FIRST = words("Anna Peter Maria Jonas Clara David Elena Marco Lucy Henry Jordan Florence Lincoln Austin Victoria Will")
STEMS = words(
    "Ander Lind Hol Brand Wick Mar Stein Green Wal Ost Kar Fal Ber Har Nor Sun Rich Eld Ren Thor Ash Black Cald Dan "
    "Ell Free Gold Haw Ing Jack Kel Lang Mill Nes Oak Park Quin Rob Sand Tan Ul Van West York Zim Bel Cor Dor"
)
SURNAMES = words("son berg man ley ski er ford ham")
TOWNS = words("ton burg ville field mouth berg ley ford ham")
FIRMS = words("tech corp soft ware bank ex")
PLACES = phrases("Jordan|Lincoln|Florence|Austin|Victoria|Paris|Turkey|Norway|Lake Victoria|New Ander|San Marco")
FORMS = phrases(
    "{s} Group|{s} and Sons|University of {t}|Bank of {t}|{t} United|{t} Council|{s} Motors|{f}|{f}|{f} Inc|{s}|{t}"
)
SENTENCES = """
{P} was born in {L} in 1962 .
{P} met {P} at the airport of {L} on {D} .
{P} , who works for {O} , lives in {L} .
{O} opens a new office in {L} next {D} .
{O} has bought {O} for ten million , said {P} .
Shares of {O} fell sharply on {D} .
The mayor of {L} , {P} , wrote to {O} .
{D} was a quiet day in {L} .
Will {P} leave {O} ?
May was warm in {L} and in {L} .
Heavy rain fell near {L} , and trains to {L} were late .
" We like {L} , " said {P} of {O} .
The river rose again , and nobody could say why .
Police in {L} asked {P} for help .
{P} beat {P} in three sets .
{O} and {O} signed a contract in {L} .
Fans of {O} travelled to {L} by bus .
In {L} the price of bread went up .
A spokesman for {O} did not answer .
Most people had left by noon .
{L} is larger than {L} .
{P} will play for {O} from {D} .
{A} won again on {D} .
Nobody expected {A} to lose against {A} .
A letter from {A} came late .
The film is about {A} and {A} .
New rules apply from {D} on .
""".strip().splitlines()
DAYS = words("Monday Tuesday Wednesday Thursday Friday May June")


def town(random: Random) -> str:
    if random.random() < 0.3:
        return random.choice(PLACES)
    return random.choice(STEMS) + random.choice(TOWNS)


def surname(random: Random) -> str:
    return random.choice(STEMS) + random.choice(SURNAMES)


def person(random: Random) -> str:
    kind = random.random()
    if kind < 0.5:
        return f"{random.choice(FIRST)} {surname(random)}"
    return surname(random) if kind < 0.85 else random.choice(FIRST)


def organisation(random: Random) -> str:
    firm = random.choice(STEMS) + random.choice(FIRMS)
    return random.choice(FORMS).format(s=surname(random), t=town(random), f=firm)


NAMES = {"{P}": ("PER", person), "{L}": ("LOC", town), "{O}": ("ORG", organisation)}
ANY = "{A}"
"""A place where each of them fits, so that the name itself must tell."""


def sentence(random: Random) -> list[tuple[str, str]]:
    tagged: list[tuple[str, str]] = []
    for word in random.choice(SENTENCES).split():
        word = random.choice(list(NAMES)) if word == ANY else word
        if word in NAMES:
            label, draw = NAMES[word]
            name = draw(random).split()
            tagged += [(token, f"{'I' if place else 'B'}-{label}") for place, token in enumerate(name)]
        else:
            tagged.append((random.choice(DAYS) if word == "{D}" else word, "O"))
    # A few headlines shout, and some writers never press shift.
    style = random.random()
    if style < 0.03:
        return [(token.upper(), tag) for token, tag in tagged]
    return [(token.lower(), tag) for token, tag in tagged] if style < 0.08 else tagged


def files() -> Iterator[tuple[str, str]]:
    random = Random("entities")
    for part, count in (("train", 1200), ("valid", 250), ("test", 250)):
        sentences = (sentence(random) for _ in range(count))
        yield (
            f"entities/{part}.conll",
            "\n".join("".join(f"{token}\t{tag}\n" for token, tag in tagged) for tagged in sentences),
        )
