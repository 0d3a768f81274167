"""Chord progressions as lists of sounding pitches, four steps a chord.

A piece keeps to its key, its progression and its figure (held chord, bass and chord, arpeggio); a melody of chord tones
lies on top, and now and then a beat is silent.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random

SCALE = (0, 2, 4, 5, 7, 9, 11)
PROGRESSIONS = ((0, 4, 5, 3), (1, 4, 0, 0), (0, 5, 1, 4), (0, 3, 4, 0), (5, 3, 0, 4), (0, 3, 0, 4))


def degree(key: int, step: int) -> int:
    """The pitch of a step of the major scale; steps past an octave go on upwards."""
    return key + SCALE[step % 7] + 12 * (step // 7)


def piece(random: Random) -> list[list[int]]:
    key, progression = random.randint(48, 59), random.choice(PROGRESSIONS)
    figure, rounds = random.choice(("held", "bass", "broken")), random.randint(2, 3)
    frames = []
    for root in progression * rounds:
        chord = [degree(key, root + third) for third in (0, 2, 4)]
        melody = random.choice(chord) + 12
        for beat in range(4):
            if beat % 2 == 0:
                melody = random.choice(chord) + 12
            match figure:
                case "held":
                    sounding = {*chord, melody}
                case "bass":
                    sounding = {chord[0] - 12, melody} if beat % 2 == 0 else {*chord[1:], melody}
                case _:
                    sounding = {chord[(0, 1, 2, 1)[beat]], melody}
            frames.append([] if random.random() < 0.03 else sorted(sounding))
    return frames


def files() -> Iterator[tuple[str, str]]:
    random = Random("music")
    parts = {
        part: [piece(random) for _ in range(count)] for part, count in (("train", 100), ("valid", 20), ("test", 20))
    }
    yield "chords.json", json.dumps(parts, separators=(",", ":")) + "\n"
