"""Messages to the office of a web shop, each about none, one or several topics.

Some words belong to two topics (a card pays and is sent along with a gift), and half of the messages mention a topic
only to say that nothing is wrong with it. Whoever gave the labels overlooked one topic in thirty.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from generators.table import table
from generators.wording import phrases, words

TOPICS = {
    "delivery": "my parcel with the {g} never arrived|the courier left the {g} in the rain|the tracking number shows "
    "nothing|my order is late by {n} days|where is my {g} , it was sent {n} days ago|the box went to the wrong street",
    "payment": "you charged my card twice for the {g}|the invoice says {n}0 euros too much|my card was declined|"
    "the discount code did not work on the {g}|i was billed for {n} orders|can i pay for the {g} in two parts",
    "return": "how do i send the {g} back|i want my money back for the {g}|where is the return label|"
    "i sent the {g} back {n} days ago and still have no refund|may i swap the {g} for a larger one",
    "quality": "the {g} broke after {n} days|the {g} has a scratch on one side|the {g} smells odd|"
    "the seam of the {g} is open|the colour of the {g} is not the one in the picture|a part of the {g} is missing",
    "account": "i forgot my password|the page asks me to log in {n} times|please delete my account|"
    "i can not change the street in my account|the code to log in never arrived|my card details can not be saved",
    "praise": "thank you for the kind note with the {g}|the {g} is lovely , thank you|your staff was very kind|"
    "i recommend your shop to all my friends|what a nice card you sent along with the {g}",
}
FINE = {
    "delivery": "my parcel with the {g} arrived {n} days ago|the courier left the {g} at the right door",
    "payment": "you charged my card once , as you should|the discount code did work on the {g}",
    "return": "i do not want my money back for the {g}|no need to send the {g} back",
    "quality": "the {g} is not broken after all|the colour of the {g} is the one in the picture",
    "account": "i never forgot my password|the page did not ask me to log in",
    "praise": "i can not recommend your shop|your staff was not kind",
}
GOODS = words("kettle jacket lamp blanket backpack teapot chair mirror scarf clock rug vase")
OPENING = phrases("hello|hi there|good morning|dear team||||")
CLOSING = phrases("please answer soon|my order number is {n}0{n}7|best wishes|kind regards , an old customer||||")


def message(random: Random) -> tuple[str, list[str]]:
    good, days = random.choice(GOODS), str(random.randint(2, 9))
    topics = random.sample(list(TOPICS), random.choices((0, 1, 2, 3), (4, 50, 34, 12))[0])
    said = [random.choice(phrases(TOPICS[topic])) for topic in topics]
    others = [topic for topic in TOPICS if topic not in topics]
    if random.random() < 0.5 or not said:
        said.insert(random.randint(0, len(said)), random.choice(phrases(FINE[random.choice(others)])))
    sentences = [random.choice(OPENING), *said, random.choice(CLOSING)]
    return " . ".join(filter(None, sentences)).format(g=good, n=days), sorted(
        topic for topic in topics if random.random() > 1 / 30
    )


def files() -> Iterator[tuple[str, str]]:
    random = Random("messages")
    drawn = (message(random) for _ in range(1200))
    yield (
        "messages.csv",
        table(("id", "text", "topics"), ((i, text, " ".join(t)) for i, (text, t) in enumerate(drawn, 1))),
    )
