"""The ablations that are shipped can be planned, and their schema is up to date."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from rnncli.ablation.plan import Plan, read_ablation
from rnncli.ablation.settings import AblationSettings
from rnncli.config import read, schema
from rnncli.runs.config import RunConfig

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "configs" / "ablations"
ABLATIONS = sorted(FOLDER.glob("*.yaml"))
SETTINGS = [(path, name) for path in ABLATIONS for name in (None, *read(path, AblationSettings).settings)]
BASES = sorted((FOLDER / "tasks").glob("*.yaml"))


@pytest.mark.parametrize(("path", "setting"), SETTINGS, ids=lambda value: getattr(value, "stem", value))
def test_every_variant_of_a_shipped_ablation_has_a_config(path: Path, setting: str | None) -> None:
    plan = Plan(read_ablation(path, setting, []), path)
    for task in plan.tasks:
        for variant in plan.variants:
            made = plan.config(task, variant, plan.run(task, variant, 7, {}, None).changes)
            assert made.training.seed == 7
            assert made.training.threads == plan.settings.threads_per_run


@pytest.mark.parametrize("path", ABLATIONS, ids=lambda path: path.stem)
def test_a_shipped_ablation_says_how_it_is_run(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert any(line.startswith(f"# rnncli ablate {path.relative_to(ROOT).as_posix()}") for line in lines)
    modeline = re.search(r"^# yaml-language-server: \$schema=(\S+)$", path.read_text(encoding="utf-8"), re.M)
    assert modeline is not None
    assert (path.parent / modeline[1]).exists()


@pytest.mark.parametrize("path", BASES, ids=lambda path: path.stem)
def test_a_base_is_a_config_that_says_how_it_is_used(path: Path) -> None:
    read(path, RunConfig)
    text = path.read_text(encoding="utf-8")
    assert re.search(rf"^# rnncli train {path.relative_to(ROOT).as_posix()}( |$)", text, re.M)
    modeline = re.search(r"^# yaml-language-server: \$schema=(\S+)$", text, re.M)
    assert modeline is not None
    assert (path.parent / modeline[1]).resolve() == ROOT / "configs" / "schema.json"


def test_schema_of_ablations_is_up_to_date() -> None:
    kept = json.loads((FOLDER / "schema.json").read_text(encoding="utf-8"))
    assert kept == schema(AblationSettings), (
        "write it anew: rnncli describe ablation-schema > configs/ablations/schema.json"
    )
