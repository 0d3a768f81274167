"""How many examples are evaluated together."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnncli.runs.assembly import assemble, evaluation_size
from rnncli.tasks.evaluation import evaluate

from .small import config_of, story_config, texts_config, write_story, write_texts


def test_a_stream_is_read_in_the_columns_of_its_training(tmp_path: Path) -> None:
    parts = assemble(config_of(story_config(write_story(tmp_path / "story.txt"), batch_size=3), tmp_path))
    model, target, valid = parts.model, parts.loader.target, parts.data["valid"]
    size = evaluation_size(parts.config, parts.loader)
    assert size == 3
    # With other columns each of them begins elsewhere, and the figure is another.
    found = [evaluate(model, target, valid, columns, parts.device).values()["perplexity"] for columns in (3, 12)]
    assert found[0] != pytest.approx(found[1], rel=1e-9)


def test_sequences_are_evaluated_in_larger_batches_with_the_same_figures(tmp_path: Path) -> None:
    parts = assemble(config_of(texts_config(write_texts(tmp_path / "texts.csv"), batch_size=3), tmp_path))
    model, target, valid = parts.model, parts.loader.target, parts.data["valid"]
    size = evaluation_size(parts.config, parts.loader)
    assert size > 3
    small, large = (evaluate(model, target, valid, each, parts.device).values() for each in (3, size))
    assert large == pytest.approx(small, rel=1e-5)
