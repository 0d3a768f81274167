"""What it costs to write step by step: training and decoding of one decoder, with input feeding and without.

    python benchmarks/input_feeding.py --threads 1 --rounds 5 --out results/input_feeding.json

The model is that of multi30k_en_de.yaml on random tokens: 64 pairs of 8 to 20 tokens, a vocabulary of 5,000. All ways
are timed in turn in one process, forward and backward pass; a figure is the time divided by that of the plain decoder
in the same round, the median (least-greatest).
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rnncli.decoding.settings import DecodingSettings
from rnncli.inputs.answered import Answered
from rnncli.inputs.batches import Batch, Ragged
from rnncli.inputs.features import Tokens
from rnncli.inputs.targets import Target
from rnncli.models.build import build_model
from rnncli.models.settings import ModelSettings

ENTRIES, PAIRS = 5000, 64
WAYS: dict[str, dict[str, Any]] = {
    "plain": {},
    "no attention": {"attention": "none"},
    "additive": {"attention": "additive"},
    "scheduled sampling": {"scheduled_sampling": 0.5, "scheduled_sampling_steps": 1},
    "input feeding": {"input_feeding": True},
    "input feeding, scheduled sampling": {
        "input_feeding": True,
        "scheduled_sampling": 0.5,
        "scheduled_sampling_steps": 1,
    },
}


def pairs() -> Batch:
    random = np.random.default_rng(1)

    def side() -> Ragged:
        lengths = random.integers(8, 21, PAIRS)
        return Ragged(
            torch.from_numpy(random.integers(2, ENTRIES, lengths.sum())), np.concatenate([[0], lengths.cumsum()])
        )

    return Answered({"tokens": side()}, side()).batch(np.arange(PAIRS))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    names = ("<pad>", "<unk>", *map(str, range(ENTRIES - 2)))
    target, batch = Target("sequence", names, (0,) * ENTRIES, units="word"), pairs()
    models = {}
    for way, decoder in WAYS.items():
        settings = ModelSettings.model_validate(
            {
                "cell": {"type": "lstm", "hidden_size": 320},
                "embedding_size": 256,
                "bidirectional": True,
                "tied_embeddings": True,
                "decoder": decoder,
            }
        )
        models[way] = build_model(settings, {"tokens": Tokens(ENTRIES)}, target).train()

    def training(model: Any) -> None:
        model.zero_grad()
        model.loss(batch)[0].backward()

    def greedy(model: Any) -> None:
        model.eval().decoded(batch, DecodingSettings(max_length=20))
        model.train()

    found: dict[str, dict[str, list[float]]] = {"training": {}, "greedy": {}}
    for what, run in (("training", training), ("greedy", greedy)):
        for model in models.values():
            run(model)
        rounds: list[dict[str, float]] = []
        for _ in range(options.rounds):
            taken = {}
            for way, model in models.items():
                began = time.perf_counter()
                run(model)
                taken[way] = time.perf_counter() - began
            rounds.append(taken)
        for way in WAYS:
            ratios = [each[way] / each["plain"] for each in rounds]
            found[what][way] = [statistics.median(ratios), min(ratios), max(ratios)]
            milliseconds = 1000 * statistics.median(each[way] for each in rounds)
            middle, least, greatest = found[what][way]
            print(f"{what:10s} {way:34s} {middle:.2f} ({least:.2f}-{greatest:.2f}) {milliseconds:.0f} ms")
    if options.out:
        options.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
