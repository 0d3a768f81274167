"""What names are worth that a model writes from a language: does a classifier of real names take them for theirs?

    rnncli train configs/benchmarks/names.yaml --set data.root=$RNNCLI_DATA/names --out names
    rnncli train configs/benchmarks/names_generate.yaml --set data.root=$RNNCLI_DATA/names --out written
    python benchmarks/names_generated.py names written --out results/names_generate.json

For each language: the share of the written names that the classifier gives to it, divided by the share of real names
of the test part; the mean over the languages where there is such a share. New is a name that the writer's training part
does not have.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd

import rnncli
from rnncli.decoding.settings import DecodingSettings
from rnncli.runs.assembly import new_loader


def written(run: Any, languages: list[str], count: int, temperature: float) -> pd.DataFrame:
    """Names that the run writes, so many of each language."""
    run.decoding = DecodingSettings(method="sample", temperature=temperature, n_best=count)
    return run.predict(pd.DataFrame({run.config.data.source.column: languages}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("classifier", type=Path)
    parser.add_argument("writer", type=Path)
    parser.add_argument("--count", type=int, default=200, help="names written of each language")
    parser.add_argument("--temperature", type=float, default=1.0)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()

    classifier, writer = rnncli.load(options.classifier), rnncli.load(options.writer)
    loader = new_loader(classifier.config)
    test = loader.load()["test"]
    languages = list(classifier.loader.target.names)
    real, right = Counter(), Counter()
    for rows in test.plan(256, None):
        batch = test.batch(rows)
        outcome, _ = classifier.model.eval().outcome(batch)
        for truth, predicted in zip(outcome.target, outcome.predicted, strict=True):
            real[languages[truth]] += 1
            right[languages[truth]] += int(truth == predicted)

    known = {
        reference for references in new_loader(writer.config).load()["train"].references for reference in references
    }
    frame = written(writer, languages, options.count, options.temperature)
    names = frame["prediction"].astype(str)
    some = names[names != ""]  # an empty one is of no language
    judged = names.mask(names == "")
    judged[some.index] = classifier.predict(some.tolist())["prediction"].to_numpy()
    table = {}
    for language in languages:
        of_it = frame[writer.config.data.source.column] == language
        share = float((judged[of_it.to_numpy()] == language).mean())
        usual = right[language] / real[language]
        table[language] = {
            "written": share,
            "real": usual,
            "relative": share / usual if usual else None,
            "new": float((~names[of_it].isin(known)).mean()),
        }
    relative = [row["relative"] for row in table.values() if row["relative"] is not None]
    found = {
        "relative": sum(relative) / len(relative),
        "relative_at_most_one": sum(min(1.0, each) for each in relative) / len(relative),
        "relative_of_means": sum(row["written"] for row in table.values()) / sum(row["real"] for row in table.values()),
        "new": sum(row["new"] for row in table.values()) / len(table),
        "names": len(frame),
        "languages": table,
    }
    print(
        f"taken for their language, relative to real names: {found['relative']:.3f} (each at most 1: "
        f"{found['relative_at_most_one']:.3f}; of the means: {found['relative_of_means']:.3f}); new: {found['new']:.3f}"
    )
    for language, row in table.items():
        shares = "  ".join(f"{name} {'-' if value is None else f'{value:.2f}'}" for name, value in row.items())
        print(f"  {language:12s} {shares}")
    if options.out:
        options.out.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
