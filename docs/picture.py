"""Makes docs/line.svg, the picture of the README: the demo as a terminal shows it.

make demo && .venv/bin/python docs/picture.py
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

HERE = Path(__file__).parent
RNNCLI = str(Path(sys.executable).with_name("rnncli"))
SKIPPED = "…"


def main() -> None:
    console = Console(record=True, width=140, file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        run = f"{folder}/demo"
        for command, first, last in (
            (["train", "configs/sentiment.yaml", "--out", run], 6, 10),
            (["predict", run, "data/reviews/new.csv"], 6, 0),
        ):
            shown = " ".join(command).replace(run, "runs/demo")
            console.print(Text(f"$ rnncli {shown}", style="bold green"))
            done = subprocess.run([RNNCLI, *command], cwd=HERE.parent, check=True, capture_output=True, text=True)
            lines = done.stdout.replace(run, "runs/demo").splitlines()
            if len(lines) > first + last:
                lines = [*lines[:first], SKIPPED, *lines[len(lines) - last :]]
            for line in lines:
                console.print(Text(line), overflow="fold")
            console.print()
    console.save_svg(str(HERE / "line.svg"), title="rnncli")


if __name__ == "__main__":
    main()
