"""Published counts of two corpora."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnncli.inputs.batches import Dataset
from rnncli.inputs.tagging.loader import TaggingLoader
from rnncli.inputs.tagging.settings import TaggingSettings
from rnncli.metrics.entities import count_matches

pytestmark = pytest.mark.skipif("RNNCLI_DATA" not in os.environ, reason="RNNCLI_DATA names no folder of real files")
SPLITS = ("train", "valid", "test")


def load(names: tuple[str, ...], **options: Any) -> tuple[TaggingLoader, dict[Any, Dataset]]:
    files = {split: [Path(os.environ["RNNCLI_DATA"]) / name] for split, name in zip(SPLITS, names, strict=True)}
    settings = TaggingSettings.model_validate({"loader": "tagging", **files, **options})
    loader = TaggingLoader(settings, "many-to-many")
    return loader, loader.load()


def sizes(parts: dict[Any, Dataset]) -> list[tuple[int, int]]:
    """Sentences and tokens of each part."""
    return [(len(parts[split]), int(parts[split].lengths.sum())) for split in SPLITS]  # type: ignore[attr-defined]


def test_universal_dependencies() -> None:
    names = tuple(f"ud_english_ewt/en_ewt-ud-{part}.conllu.gz" for part in ("train", "dev", "test"))
    loader, parts = load(names, characters=True, capitals=True)
    assert sizes(parts) == [(12544, 204577), (2001, 25147), (2077, 25094)]
    assert len(loader.target.names) == 17 and loader.target.names[0] == "NOUN"
    assert sum(loader.target.counts) == 204577


@pytest.mark.parametrize("scheme", ["BIO", "BIOES"])
def test_emerging_entities(scheme: Any) -> None:
    names = tuple(f"wnut17/{name}" for name in ("wnut17train.conll", "emerging.dev.conll", "emerging.test.annotated"))
    loader, parts = load(names, scheme="BIO", train_scheme=scheme)
    assert sizes(parts) == [(3394, 62730), (1009, 15733), (1287, 23394)]
    entities = []
    for split in SPLITS:
        part = parts[split]
        tags = []
        for row in range(len(part)):
            ids = part.batch(np.array([row])).targets
            assert ids is not None
            tags.append([loader.target.names[tag] for tag in ids.flatten().tolist()])
        entities.append(sum(one.target for one in count_matches(tags, tags, scheme).values()))
    assert entities == [1975, 836, 1079]
    assert not any("break the scheme" in note for note in loader.notes)
