"""The figures of a report: every run, learning curves, and cost against quality."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rnncli.ablation.analysis import OfTask, OfVariant
from rnncli.ablation.curves import mean_curve
from rnncli.ablation.drawing import BAND, OURS, PUBLISHED, Drawing, panels, scale, svg
from rnncli.runs.plotting import FAINT, INK, label, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FEWEST_OF_A_BOX = 5
PANELS = 3
"""Of learning curves in a row."""
LINE = (0, (4, 3))
Captioned = tuple["Figure", str]


def draw(tasks: Sequence[OfTask]) -> list[Drawing]:
    """The figures of all tasks, as far as there is something to show.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    found = []
    with style("ablate", "an ablation's report"):
        for number, task in enumerate(tasks, start=1):
            for kind, make in (("values", _values), ("curves", _curves), ("costs", _costs)):
                made = make(task)
                if made is not None:
                    figure, caption = made
                    # Numbered: the name of a task may hold what the name of a file can't.
                    found.append(Drawing(f"{number:02d}-{kind}", caption, svg(figure)))
    return found


def _values(task: OfTask) -> Captioned | None:
    if not task.known:
        return None
    figure, (axes,) = panels(1.0 + 0.32 * len(task.variants))
    shown = list(task.task.published.values())
    for place, each in enumerate(task.variants):
        values = [float(row.value) for row in each.compared if row.value is not None]
        shown += values
        _one_variant(axes, place, each, values)
    base = task.baseline
    if base is not None and base.spread is not None:
        axes.axvline(base.spread.mean, color=FAINT, linewidth=0.9, linestyle=LINE, zorder=0)
    axes.set_yticks(range(len(task.variants)), [label(each.name) for each in task.variants])
    axes.set_ylim(len(task.variants) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    better = "higher is better" if task.task.higher_is_better else "lower is better"
    axes.set_xlabel(label(f"{task.task.metric} ({better})", 80))
    scale(axes, "x", shown)
    boxes = any(len(each.compared) >= FEWEST_OF_A_BOX for each in task.variants)
    caption = (
        f"Every run that is compared is a point; the bar is their mean{', the box their quartiles' if boxes else ''}"
        f"{f', the dashed line the mean of {base.name}' if base is not None and base.spread is not None else ''}"
        f"{', the diamond what was published' if task.task.published else ''}."
    )
    return figure, caption


def _one_variant(axes: Axes, place: int, each: OfVariant, values: Sequence[float]) -> None:
    if len(values) >= FEWEST_OF_A_BOX:
        box = axes.boxplot(
            [values],
            positions=[place],
            orientation="horizontal",
            widths=0.62,
            showfliers=False,
            whis=(0, 100),
            medianprops={"color": FAINT, "linewidth": 1.1},
            boxprops={"color": FAINT, "linewidth": 0.8},
            whiskerprops={"color": FAINT, "linewidth": 0.8},
            capprops={"color": FAINT, "linewidth": 0.8},
            manage_ticks=False,
        )
        box["boxes"][0].set_gid(f"box-{place}")
    # Spread over the row by their order, so that equal values stay apart.
    heights = [place + 0.09 * ((2 * index) % 5 - 2) if len(values) > 1 else place for index in range(len(values))]
    axes.plot(values, heights, "o", color=OURS, alpha=0.75, markersize=4, markeredgewidth=0, gid=f"runs-{place}")
    if each.spread is not None:
        axes.plot([each.spread.mean], [place], "|", color=INK, markersize=15, markeredgewidth=1.6, gid=f"mean-{place}")
    if each.published is not None:
        axes.plot([each.published], [place], "D", color=PUBLISHED, markersize=5.5, gid=f"published-{place}")


def _curves(task: OfTask) -> Captioned | None:
    found = [(each.name, mean_curve([row.curve for row in each.compared])) for each in task.variants]
    known = [(name, curve) for name, curve in found if curve is not None]
    if not known:
        return None
    rows = math.ceil(len(known) / PANELS)
    figure, axes = panels(0.6 + 1.5 * rows, rows, min(PANELS, len(known)), shared=True)
    base = dict(known).get(task.task.baseline)
    for place, (panel, (name, curve)) in enumerate(zip(axes, known, strict=False)):
        if base is not None and name != task.task.baseline:
            panel.plot(base.steps, base.mean, color=FAINT, linewidth=1.1, linestyle=LINE)
        panel.fill_between(curve.steps, curve.low, curve.high, color=BAND, alpha=0.35, linewidth=0)
        marker = "o" if len(curve.steps) == 1 else ""
        panel.plot(
            curve.steps, curve.mean, color=OURS, linewidth=1.4, marker=marker, markersize=4, gid=f"curve-{place}"
        )
        panel.set_title(label(name, 30), fontsize=8)
        panel.grid(axis="both")
    scale(axes[0], "y", [value for _, curve in known for value in (*curve.low, *curve.high)])
    scale(axes[0], "x", [0.0])
    for panel in axes[len(known) :]:
        panel.set_axis_off()
    for panel in axes[: len(known)][-PANELS:]:
        panel.tick_params(labelbottom=True)  # also where the last row does not reach
    figure.supxlabel("step", fontsize=8.5)
    figure.supylabel(label(f"{task.task.metric.rpartition('.')[2]} on the validation part", 60), fontsize=8.5)
    caption = (
        "Mean over the runs that are compared, in a band from the lowest to the highest, as far as at least half of "
        f"them were trained{f'; dashed: the mean of {task.task.baseline}' if base is not None else ''}."
    )
    return figure, caption


def _costs(task: OfTask) -> Captioned | None:
    kinds: list[tuple[str, Callable[[OfVariant], tuple[float, float] | None]]] = [
        ("seconds of training", _seconds),
        ("FLOPs a step", _flops),
    ]
    costs = [(kind, {each.name: cost for each in task.known if (cost := of(each))}) for kind, of in kinds]
    telling = [(kind, found) for kind, found in costs if len(set(found.values())) > 1]
    if not telling:
        return None
    names = [f"{number} {label(each.name)}" for number, each in enumerate(task.variants, start=1)]
    figure, axes = panels(3.0 + 0.16 * math.ceil(len(names) / 3), 1, len(telling))
    for panel, (kind, found) in zip(axes, telling, strict=True):
        for number, each in enumerate(task.variants, start=1):
            if each.name in found:
                _one_cost(panel, f"{kind.split()[0]}-{number}", each, *found[each.name])
        panel.set_xlabel(kind)
        panel.grid(axis="both")
        panel.margins(0.1)
        scale(panel, "x", [cost for cost, _ in found.values()])
    scale(axes[0], "y", [each.spread.mean for each in task.known if each.spread])
    axes[0].set_ylabel(label(task.task.metric, 60))
    _numbered(figure, names)
    return figure, "Mean of each variant with its sd, against what it costs. The numbers are named below."


def _one_cost(panel: Axes, name: str, each: OfVariant, cost: float, deviation: float) -> None:
    if each.spread is None:
        return
    mean, sd = each.spread.mean, each.spread.sd if math.isfinite(each.spread.sd) else 0.0
    panel.errorbar([cost], [mean], xerr=[deviation], yerr=[sd], color=FAINT, elinewidth=0.8, zorder=1)
    panel.plot([cost], [mean], "o", color=OURS, alpha=0.85, markersize=10.5, markeredgewidth=0, gid=name)
    panel.text(
        cost,
        mean,
        name.rpartition("-")[2],
        color="#ffffff",
        fontsize=6.5,
        ha="center",
        va="center_baseline",
        clip_on=True,
    )


def _numbered(figure: Figure, names: Sequence[str]) -> None:
    """What the numbers mean, below the figure."""
    from matplotlib.lines import Line2D

    nothing = [Line2D([], [], linestyle="none") for _ in names]
    figure.legend(nothing, names, loc="outside lower left", ncols=3, handlelength=0, handletextpad=0, fontsize=7.5)


def _seconds(each: OfVariant) -> tuple[float, float] | None:
    spent = each.seconds
    return None if spent is None else (spent.mean, spent.sd if math.isfinite(spent.sd) else 0.0)


def _flops(each: OfVariant) -> tuple[float, float] | None:
    flops = each.flops
    return None if flops is None else ((flops.low + flops.high) / 2, (flops.high - flops.low) / 2)
