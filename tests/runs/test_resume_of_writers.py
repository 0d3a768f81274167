"""Runs of models that write go on bit for bit, and begin from each other."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from rnncli.errors import Interrupted
from rnncli.runs.train import train
from rnncli.training.events import Step

from .small import config_of, trained
from .test_resume import figures
from .writing import captions_config, forecast_config, pairs_config, spectra_config, write_pairs

SAMPLING = {"scheduled_sampling": 0.6, "scheduled_sampling_steps": 7}
CONFIGS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "pairs": lambda folder: pairs_config(folder, SAMPLING),
    "pairs step by step": lambda folder: pairs_config(folder, {**SAMPLING, "input_feeding": True}),
    "captions": captions_config,
    "spectra": spectra_config,
    "forecast": forecast_config,
}


@pytest.mark.parametrize("kind", CONFIGS)
def test_stopped_within_an_epoch_it_goes_on_bit_for_bit(kind: str, tmp_path: Path) -> None:
    """By a signal, which saves between two steps, and by a kill, after which it goes on from the last checkpoint."""
    plain = CONFIGS[kind](tmp_path)
    plain["training"]["checkpoint_steps"] = 2
    config = config_of(plain, tmp_path)
    trained(config, tmp_path / "whole")
    run = tmp_path / "parted"
    events = train(config, run)
    with pytest.raises(Interrupted):
        for event in events:
            if isinstance(event, Step):
                os.kill(os.getpid(), signal.SIGINT)
    events = train(config, run, resume=True)
    list(islice(events, 5))
    events.close()  # as a kill: what is not in a file is lost
    trained(config, run, resume=True)
    assert figures(run) == figures(tmp_path / "whole")


def test_the_share_of_guesses_goes_on_where_it_was(tmp_path: Path) -> None:
    config = config_of(pairs_config(tmp_path, SAMPLING), tmp_path)
    trained(config, tmp_path / "run")
    assert load_file(tmp_path / "run" / "weights.safetensors")["guesses.lessons"] > 4


def changed(run: Path, source: Path) -> set[str]:
    """The names of the weights that did not start from those of the source."""
    ours, theirs = (load_file(folder / "weights.safetensors") for folder in (run, source))
    return {name for name in ours if not torch.allclose(ours[name].float(), theirs[name].float(), atol=1e-6)}


@pytest.mark.parametrize("shared", [False, True])
def test_a_warm_start_from_other_words_takes_only_what_means_the_same(shared: bool, tmp_path: Path) -> None:
    """The vocabularies are as large as each other, so that the shapes tell nothing."""
    decoder = {**SAMPLING, "shared_embeddings": shared}
    plain = pairs_config(tmp_path, decoder, **({"shared_vocabulary": True} if shared else {}))
    trained(config_of(plain, tmp_path), tmp_path / "first")
    plain["training"] |= {"init_from": str(tmp_path / "first"), "learning_rate": 1e-12, "seed": 9, "epochs": 1}
    summary = trained(config_of(plain, tmp_path), tmp_path / "same")
    count = len(load_file(tmp_path / "first" / "weights.safetensors")) - 1
    assert f"{count} of {count} tensors start from {tmp_path / 'first'}" in summary["notes"]
    assert changed(tmp_path / "same", tmp_path / "first") == {"guesses.lessons"}
    others = {"one": "uno", "two": "due", "six": "sei", "seven": "sette"}
    write_pairs(tmp_path / "pairs.tsv", numbers=others)
    trained(config_of(plain, tmp_path), tmp_path / "second")
    embeddings = {"reader.inputs.embeddings.0.weight"} | (set() if shared else {"writer.embedding.weight"})
    assert changed(tmp_path / "second", tmp_path / "first") == {
        "guesses.lessons", "writer.head.weight", "writer.head.bias", *embeddings
    }  # fmt: skip
