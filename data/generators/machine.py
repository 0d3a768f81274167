"""An oven with a fan, second by second: what its sensors say, how hot its core is, what it does and what to warn of.

The core, which no cheap sensor reaches, warms the surface slowly, so that both its heat and the state follow from what
was measured before, not from one row: heating and running draw the same current, and a fault shows as a trembling. The
warnings are "hot" (the core is above 150 degrees) and "service" (due from the first fault to the end of the run).
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from generators.table import table

LENGTHS = {"idle": (10, 30), "heating": (15, 35), "running": (20, 50), "fault": (8, 20)}
NEXT = {
    "idle": (("heating", 1.0),),
    "heating": (("running", 0.85), ("fault", 0.15)),
    "running": (("idle", 0.6), ("fault", 0.4)),
    "fault": (("idle", 1.0),),
}
CURRENT = {"idle": 0.6, "heating": 5.0, "running": 4.6, "fault": 4.2}
GOAL = {"idle": 20.0, "heating": 190.0, "running": 140.0, "fault": 150.0}
SPEED = {"idle": 0.06, "heating": 0.05, "running": 0.08, "fault": 0.03}


def run(random: Random, seconds: int) -> Iterator[tuple[str, ...]]:
    """For each second current, vibration, temperature of the surface, of the core, state and warnings."""
    state, left = random.choice(("idle", "heating")), random.randint(10, 30)
    core = surface = 20.0
    broken = False
    for _ in range(seconds):
        if not left:
            states, shares = zip(*NEXT[state], strict=True)
            state = random.choices(states, shares)[0]
            left = random.randint(*LENGTHS[state])
        left -= 1
        core += SPEED[state] * (GOAL[state] - core) + random.gauss(0, 0.6)
        surface += 0.12 * (20 + 0.4 * (core - 20) - surface)
        current = CURRENT[state] + random.gauss(0, 0.9 if state != "idle" else 0.4)
        shaking = abs(random.gauss(0, 0.5)) * (1.0 if state == "idle" else 3.2 if state == "fault" else 1.6)
        measured = surface + random.gauss(0, 0.8)
        broken = broken or state == "fault"
        warnings = " ".join(name for name, due in (("hot", core > 150), ("service", broken)) if due)
        yield f"{max(0.0, current):.2f}", f"{shaking:.2f}", f"{measured:.1f}", f"{core:.1f}", state, warnings


def files() -> Iterator[tuple[str, str]]:
    random = Random("machine")
    rows = [
        (f"run-{number:02}", second, *measured)
        for number in range(1, 31)
        for second, measured in enumerate(run(random, random.randint(100, 160)))
    ]
    yield "machine.csv", table(("run", "second", "current", "vibration", "surface", "core", "state", "warnings"), rows)
