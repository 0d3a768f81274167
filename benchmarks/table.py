"""The README's table of results, from the summaries of runs.

python benchmarks/table.py results/*.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

FIGURES = {
    "sst2": "accuracy",
    "names": "accuracy",
    "japanese_vowels": "accuracy",
    "ud_ewt": "accuracy",
    "etth1": "scaled_mse",
    "ptb": "perplexity",
    "tinyshakespeare": "nll",
    "jsb_chorales": "frame_nll",
    "m4_hourly": "smape",
    "mot15": "rmse",
    "goog": "rmse",
    "wnut17": "entity_f1",
    "multi30k_en_de": "bleu",
    "cmudict": "exact_match",
    "cmudict_ctc": "exact_match",
    "flickr8k": "bleu",
    "fsdd": "accuracy",
    "fsdd_ctc": "cer",
    "etth1_seq2seq": "scaled_mse",
}


def main() -> None:
    print("| config | test | baseline | parameters | epochs | minutes |")
    print("|---|---|---|---|---|---|")
    for path in map(Path, sys.argv[1:]):
        if path.stem not in FIGURES:  # times of cells
            continue
        summary, name = json.loads(path.read_text(encoding="utf-8")), path.stem
        figure = FIGURES[name]
        measured = summary["test"] or summary["valid"]  # tinyshakespeare has no test part
        print(
            f"| [{name}](configs/benchmarks/{name}.yaml) | {figure} {measured[figure]:.4g} | "
            f"{summary['baseline'][figure]:.4g} ({summary['baseline_name']}) | {summary['parameters']:,} | "
            f"{summary['epochs']} | {summary['seconds']['total'] / 60:.1f} |"
        )


if __name__ == "__main__":
    main()
