"""Keys of a telephone: two tones at once (ITU-T Q.23), in noise, of unequal length and loudness.

A row of keys shares the lower tone, a column the higher one, so that a key is known by both together.
"""

from __future__ import annotations

import io
import math
import wave
import zipfile
from collections.abc import Iterator
from random import Random

RATE, TAKES = 4000, 12
LOW, HIGH = (697, 770, 852, 941), (1209, 1336, 1477)
KEYS = ("123", "456", "789", " 0 ")


def sound(row: int, column: int, random: Random) -> bytes:
    """A WAV file of 8 bits a sample."""
    length, loudness = random.randint(250, 400), random.uniform(20, 50)
    phases = random.uniform(0, 6.28), random.uniform(0, 6.28)
    samples = bytearray()
    for step in range(length):
        time = 2 * math.pi * step / RATE
        tones = math.sin(LOW[row] * time + phases[0]) + math.sin(HIGH[column] * time + phases[1])
        samples.append(min(255, max(0, round(128 + loudness * tones + random.gauss(0, 12)))))
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(1)
        writer.setframerate(RATE)
        writer.writeframes(bytes(samples))
    return file.getvalue()


def files() -> Iterator[tuple[str, bytes]]:
    random = Random("keys")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for row, names in enumerate(KEYS):
            for column, name in enumerate(names):
                for take in range(TAKES) if name != " " else ():
                    file.writestr(zipfile.ZipInfo(f"{name}_{take}.wav"), sound(row, column, random))  # dated 1980
    yield "keys.zip", archive.getvalue()
