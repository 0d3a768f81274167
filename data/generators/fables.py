"""Short fables, a sentence a line: a text for language models.

Who a fable is about, whether it is a he or a she, and what is wanted stay the same from its first line to its moral, so
that a model that remembers knows more than one that sees the last words alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from generators.wording import phrases, words

ANIMALS = dict.fromkeys(words("fox wolf raven bear donkey rooster stork lion frog hare ox badger"), "he")
ANIMALS |= dict.fromkeys(words("hen cat goose mouse owl spider goat bee swan snake cow otter"), "she")
WISHES = dict.fromkeys(words("cheese grain honey corn bread fish soup"), "eat")
WISHES |= dict.fromkeys(words("water milk wine"), "drink") | dict.fromkeys(words("gold silver straw wool"), "keep")
MORALS = {
    "hungry": phrases("hunger is a poor adviser | an empty belly has no ears"),
    "proud": phrases("pride goes before a fall | who looks up too long will stumble"),
    "clever": phrases("wit is better than strength | a good word opens every door"),
    "greedy": phrases("who wants all will lose all | a full bag breaks"),
    "tired": phrases("rest comes after work | who sleeps at noon works at night"),
    "vain": phrases("praise is cheap | a mirror tells only half"),
    "patient": phrases("who waits will see | slow water wears the stone"),
    "careful": phrases("look before you leap | a closed door keeps the wind out"),
    "lonely": phrases("a friend is worth more than gold | two carry more than one"),
    "jealous": phrases("look at your own plate | the grass of others is only grass"),
    "young": phrases("every day teaches the next | no one is born with a beard"),
    "old": phrases("age knows the way | old ropes hold"),
}
WISE = words("clever patient careful old")
PLACES = phrases(
    "in the forest | by the river | on the hill | near the mill | behind the barn | under the old oak | in the reeds | "
    "at the edge of the village | below the castle | beside the road | among the rocks | in the garden of the king"
)
TIMES = phrases(
    "one morning | one winter evening | long ago | after the harvest | before the rain | on a hot day | once"
)
LOOKS = words("grey small lame fat thin red white quick shy loud sleepy merry")
BEGINNINGS = phrases(
    "{time} {a} {trait} {one} lived {place} . | there was {a} {trait} {one} who lived {place} . | "
    "{time} {a} {trait} {one} walked {place} . | the {trait} {one} sat {place} and thought of {wish} ."
)
WANTING = phrases(
    "{he} wanted to {verb} the {wish} of the {look} {two} . | one day {he} saw a {look} {two} with some {wish} . | "
    "a {look} {two} had what {he} wanted : {wish} . | {he} had heard that the {look} {two} had {wish} to spare ."
)
EVENTS = phrases(
    "so the {one} sang a song , and the {two} listened to {him} . | so {he} asked the {two} for advice . | "
    "the {one} told a long story about a {look2} {three} . | {he} pretended to sleep {place2} . | "
    "{time2} {he} praised {their} {part} . | a {look2} {three} came by and laughed at {him} . | "
    "the {two} hid the {wish} {place2} . | the {three} who lived {place2} heard it all . | "
    "for {days} days the {one} waited {place2} . | "
    '" give me the {wish} , {two} , " {said} the {one} . | " may i {verb} the {wish} , {two} ? " {said} the {one} . | '
    '" why are you so {trait} , {one} ? " {said} the {two} . | '
    '" what do you want from me , {one} ? " {said} the {two} . | '
    '" ask the {three} , " {said} the {two} , " {other} knows more than i . "'
)
WON = phrases(
    "in the end {he} took the {wish} and ran away . | in the end {he} could {verb} the {wish} . | "
    "the {two} gave {him} the {wish} at last ."
)
LOST = phrases(
    "in the end the {one} went home without the {wish} . | {he} lost the {wish} and was ashamed . | "
    "at last {he} had nothing but words ."
)
SAID = words("said answered cried whispered")
THEIRS, THEM = {"he": "his", "she": "her"}, {"he": "him", "she": "her"}


def fable(random: Random) -> list[str]:
    one, two, three = random.sample(list(ANIMALS), 3)
    trait, wish = random.choice(list(MORALS)), random.choice(list(WISHES))
    place, place2 = random.sample(PLACES, 2)
    won = random.random() < (0.85 if trait in WISE else 0.15)
    lines = [random.choice(BEGINNINGS), random.choice(WANTING), *random.sample(EVENTS, random.randint(1, 4))]
    lines += [random.choice(WON if won else LOST), f"the moral : {random.choice(MORALS[trait])} ."]
    kept = {
        "one": one, "two": two, "three": three, "he": ANIMALS[one], "him": THEM[ANIMALS[one]],
        "their": THEIRS[ANIMALS[two]], "other": ANIMALS[three], "trait": trait, "a": "an" if trait == "old" else "a",
        "wish": wish, "verb": WISHES[wish], "place": place, "place2": place2, "look": random.choice(LOOKS),
    }  # fmt: skip
    return [
        line.format(
            **kept,
            time=random.choice(TIMES),
            time2=random.choice(TIMES[:-1]),
            look2=random.choice(LOOKS),
            part=random.choice(words("voice coat house children wisdom")),
            said=random.choice(SAID),
            days=random.choice(words("two three seven nine")),
        )
        for line in lines
    ]


def files() -> Iterator[tuple[str, str]]:
    random = Random("fables")
    lines = [line for _ in range(560) for line in fable(random)]
    yield "fables.txt", "\n".join(lines) + "\n"
