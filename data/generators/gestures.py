"""Gestures of a pen: where it is at each step, for circles to the left and to the right, eights and zigzags.

Size, speed, tilt, start and roundness differ and the hand trembles; which way a circle turns is told only by the order
of its points, and a gesture begun late or broken off early may look like another.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from random import Random

from generators.table import table


def outline(label: str, phase: float) -> tuple[float, float]:
    """The point at a phase from 0 to 1 of a gesture of size 1."""
    angle = 2 * math.pi * phase
    match label:
        case "circle_left":
            return math.cos(angle), math.sin(angle)
        case "circle_right":
            return math.cos(angle), -math.sin(angle)
        case "eight":
            return math.sin(angle), math.sin(2 * angle)
    return 2 * phase - 1, 2 * abs((2.5 * phase) % 2 - 1) - 1


def gesture(random: Random, label: str) -> list[tuple[float, float]]:
    size, tilt, start = random.uniform(0.5, 1.5), random.gauss(0, 0.35), random.gauss(0, 0.12)
    flat, steps = random.uniform(0.4, 1.0), random.randint(12, 36)
    covered, middle = random.uniform(0.55, 1.0), (random.gauss(0, 0.4), random.gauss(0, 0.4))
    points = []
    for step in range(steps):
        phase = covered * step / steps
        x, y = outline(label, phase if label == "zigzag" else phase + start)
        y *= flat
        turned = x * math.cos(tilt) - y * math.sin(tilt), x * math.sin(tilt) + y * math.cos(tilt)
        points.append(
            tuple(size * at + centre + random.gauss(0, 0.07) for at, centre in zip(turned, middle, strict=True))
        )
    return points  # type: ignore[return-value]


def files() -> Iterator[tuple[str, str]]:
    random = Random("gestures")
    rows = []
    for number in range(1, 301):
        label = random.choice(("circle_left", "circle_right", "eight", "zigzag"))
        for step, (x, y) in enumerate(gesture(random, label)):
            rows.append((f"g{number:03}", step, f"{x:.2f}", f"{y:.2f}", label))
    yield "gestures.csv", table(("id", "step", "x", "y", "label"), rows)
