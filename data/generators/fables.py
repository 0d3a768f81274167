"""Short fables, a sentence a line: a text for language models.

Who a fable is about, whether it is a he or a she, and what is wanted stay the same from its first line to its moral, so
that a model that remembers knows more than one that sees the last words alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from generators.wording import phrases, words

ANIMALS = {
    "fox": "he", "wolf": "he", "raven": "he", "bear": "he", "donkey": "he", "rooster": "he", "stork": "he",
    "hen": "she", "cat": "she", "goose": "she", "mouse": "she", "owl": "she", "spider": "she", "goat": "she",
}  # fmt: skip
TRAITS = words("hungry proud clever greedy tired vain patient careful lonely jealous young old")
WISHES = {
    "cheese": "eat", "grain": "eat", "honey": "eat", "corn": "eat", "bread": "eat", "water": "drink", "milk": "drink",
    "gold": "keep", "crown": "keep", "nest": "keep", "bell": "keep",
}  # fmt: skip
PLACES = phrases(
    "in the forest | by the river | on the hill | near the mill | behind the barn | under the old oak | "
    "at the edge of the village"
)
SAID = words("said answered cried whispered")
TRICKS = phrases(
    "sang a song | told a long story | pretended to sleep | asked for advice | praised {their} voice | offered a trade"
)
WON = phrases(
    "{first} took the {wish} and ran away . | {first} could {verb} the {wish} at last . | "
    "{first} laughed and kept the {wish} ."
)
LOST = phrases(
    "{first} went home without the {wish} . | {first} lost the {wish} and was ashamed . | "
    "{first} had nothing but words ."
)
MORALS = {
    "hungry": "hunger is a poor adviser", "proud": "pride goes before a fall", "clever": "wit is better than strength",
    "greedy": "who wants all will lose all", "tired": "rest comes after work", "vain": "praise is cheap",
    "patient": "who waits will see", "careful": "look before you leap", "lonely": "a friend is worth more than gold",
    "jealous": "look at your own plate", "young": "every day teaches the next", "old": "age knows the way",
}  # fmt: skip
THEIRS, THEM = {"he": "his", "she": "her"}, {"he": "him", "she": "her"}


def fable(random: Random) -> list[str]:
    one, two = random.sample(list(ANIMALS), 2)
    he, other = ANIMALS[one], ANIMALS[two]
    trait, place, wish = random.choice(TRAITS), random.choice(PLACES), random.choice(list(WISHES))
    verb = WISHES[wish]
    article = "an" if trait[0] in "aeiou" else "a"
    lines = [
        random.choice(
            (
                f"once {article} {trait} {one} lived {place} .",
                f"there was {article} {trait} {one} who lived {place} .",
                f"{article} {trait} {one} walked {place} one morning .",
            )
        ),
        random.choice(
            (
                f"{he} wanted to {verb} the {wish} of the {two} .",
                f"one day {he} saw a {two} with {'a' if verb == 'keep' else 'some'} {wish} .",
                f"the {two} had what {he} wanted : the {wish} .",
            )
        ),
    ]
    for _ in range(random.randint(1, 3)):
        said = random.choice(SAID)
        if random.random() < 0.5:
            trick = random.choice(TRICKS).format(their=THEIRS[other])
            lines.append(f"so the {one} {trick} , and the {two} listened to {THEM[he]} .")
        else:
            ask = random.choice(
                (
                    f"give me the {wish}",
                    f"may i {verb} the {wish}",
                    "what do you want from me",
                    f"why are you so {trait}",
                )
            )
            speaker, hearer = (one, two) if ask[0] in "gm" else (two, one)
            lines.append(f'" {ask} , {hearer} , " {said} the {speaker} .')
    won = random.random() < (0.85 if trait in ("clever", "patient", "careful", "old") else 0.15)
    end = random.choice(WON if won else LOST)
    first = random.choice((f"the {one}", he))
    lines += [f"in the end {end.format(first=first, wish=wish, verb=verb)}", f"the moral : {MORALS[trait]} ."]
    return lines


def files() -> Iterator[tuple[str, str]]:
    random = Random("fables")
    lines = [line for _ in range(600) for line in fable(random)]
    yield "fables.txt", "\n".join(lines) + "\n"
