"""The README's tables of ablations are those that the ablations wrote."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
KEPT = sorted(path.parent for path in (ROOT / "results" / "ablations").glob("*/summary.json"))


@pytest.mark.parametrize("folder", KEPT, ids=lambda folder: folder.name)
def test_tables_in_the_readme_are_those_of_the_results(folder: Path) -> None:
    link = f"(results/ablations/{folder.name}/table.md)"
    assert link in README
    written = set((folder / "table.md").read_text(encoding="utf-8").splitlines())
    after = README.split(link, 1)[1]
    table = re.search(r"\n\n((?:\|.*\n)+)", after)
    assert table is not None
    rows = [re.sub(r"^\| (---\|)", r"\1", row) for row in table[1].splitlines()]
    assert len(rows) > 3
    assert [row for row in rows if row not in written] == []


@pytest.mark.parametrize("folder", KEPT, ids=lambda folder: folder.name)
def test_an_ablation_that_is_kept_can_be_made_again(folder: Path) -> None:
    """Its file is here, and the command, date and machine are named."""
    assert (ROOT / "configs" / "ablations" / f"{folder.name}.yaml").exists()
    about = (ROOT / "results" / "README.md").read_text(encoding="utf-8")
    assert f"rnncli ablate configs/ablations/{folder.name}.yaml" in about
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert summary["tasks"]
    text = "".join(
        path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.suffix in (".json", ".md", ".csv")
    )
    assert not re.search(r"(?<![\w.])/(?:home|root|tmp|work)/", text)
