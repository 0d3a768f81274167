"""Characters a second that a language model writes, one after another, each given as soon as it is drawn.

    rnncli train configs/benchmarks/tinyshakespeare.yaml --set data.root=$RNNCLI_DATA/tinyshakespeare --out run
    python benchmarks/generation.py run --out results/generation.json

Batch 1, one thread, sampling at a temperature included; the prompt is read before the clock starts. The first and the
last quarter of the text show whether a character becomes dearer the longer the text is.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path

import torch

import rnncli
from rnncli.runs.generate import written_on


def quarters(run: object, prompt: str, length: int, seed: int) -> list[float]:
    """Seconds that each quarter of a text took."""
    pieces = written_on(run, prompt, {"temperature": 0.8, "seed": seed, "max_length": length + 1})
    next(pieces)
    taken = []
    for _ in range(4):
        began = time.perf_counter()
        for _ in range(length // 4):
            next(pieces)
        taken.append(time.perf_counter() - began)
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--prompt", default="ROMEO:")
    parser.add_argument("--length", type=int, default=8000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    run = rnncli.load(options.run)
    run.model.eval()
    with torch.inference_mode():
        quarters(run, options.prompt, 400, 0)
        rounds = [quarters(run, options.prompt, options.length, seed) for seed in range(options.rounds)]
    whole = [options.length // 4 * 4 / sum(each) for each in rounds]
    growth = [each[3] / each[0] for each in rounds]
    found = {
        "characters_per_second": statistics.median(whole),
        "least": min(whole),
        "greatest": max(whole),
        "last_quarter_by_first": statistics.median(growth),
        "length": options.length,
        "engine": run.model.engine,
    }
    print(json.dumps(found, indent=1))
    if options.out:
        options.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
