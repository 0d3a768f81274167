"""The figures: a point for every run, where its value is."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from ablation.studies import NASTY, make_study
from rnncli.ablation.curves import mean_curve
from rnncli.ablation.report import write_report


def group(directory, name, gid):
    """The group of an SVG with this id, or None."""
    root = ElementTree.parse(directory / "figures" / f"{name}.svg").getroot()
    return next((each for each in root.iter() if each.get("id") == gid), None)


def points(directory, name, gid):
    """Where the markers of a group stand, (count, 2)."""
    found = group(directory, name, gid)
    marks = [] if found is None else [each for each in found.iter() if each.tag.endswith("}use")]
    return np.array([(float(each.get("x")), float(each.get("y"))) for each in marks]).reshape(-1, 2)


def on_a_line(values, places):
    """Whether places are where a linear axis puts the values."""
    slope, offset = np.polyfit(values, places, 1)
    return slope > 0 and np.abs(slope * np.array(values) + offset - places).max() < 0.01 * np.ptp(places)


def test_names_stand_in_the_figures_as_they_are(tmp_path):
    write_report(make_study(variants=NASTY, seeds=2), tmp_path)
    root = ElementTree.parse(tmp_path / "figures" / "01-values.svg").getroot()
    texts = ["".join(each.itertext()) for each in root.iter() if each.tag.endswith("}text")]
    for name in NASTY:
        shown = [text for text in texts if text == name or ("…" in text and name.startswith(text.partition("…")[0]))]
        assert len(shown) == 1 and len(shown[0]) <= 34
        if "…" in shown[0]:
            assert len(name) > 34 and name.endswith(shown[0].partition("…")[2])


@pytest.mark.parametrize("seeds", [1, 4, 5, 12])
def test_every_run_is_a_point_at_its_value(tmp_path, seeds):
    study = make_study(seeds=seeds, failed={("gru", 1)}, published={"rnn": 8.3})
    write_report(study, tmp_path)
    values, places, rows = [], [], []
    for place, variant in enumerate(study.variants):
        own = [row.value for row in study.of("jsb", variant) if row.value is not None]
        found = points(tmp_path, "01-values", f"runs-{place}")
        assert len(found) == len(own) == (seeds - 1 if variant == "gru" else seeds)
        values, places = values + own, places + found[:, 0].tolist()
        if own:
            mean = points(tmp_path, "01-values", f"mean-{place}")
            values, places = [*values, np.mean(own)], places + mean[:, 0].tolist()
            assert np.abs(found[:, 1] - mean[0, 1]).max() < 12
            rows.append(mean[0, 1])
        published = points(tmp_path, "01-values", f"published-{place}")
        assert len(published) == (variant == "rnn")
        values, places = values + [8.3] * len(published), places + published[:, 0].tolist()
    assert on_a_line(values, places)
    # In the order in which they are given, from the top.
    assert len(rows) >= 3 and np.all(np.diff(rows) > 20)


def line(directory, name, gid):
    """The corners of the path of a group, (count, 2)."""
    (path,) = [each for each in group(directory, name, gid).iter() if each.tag.endswith("}path")]
    return np.array(re.findall(r"[ML] (\S+) (\S+)", path.get("d")), dtype=float)


def test_boxes_stand_at_the_quartiles_of_five_runs_and_more(tmp_path):
    study = make_study(seeds=5, failed={("gru", 1)})
    write_report(study, tmp_path)
    values, places = [], []
    for place, variant in enumerate(study.variants):
        own = [row.value for row in study.of("jsb", variant) if row.value is not None]
        if variant == "gru":
            assert group(tmp_path, "01-values", f"box-{place}") is None
            continue
        corners = line(tmp_path, "01-values", f"box-{place}")[:, 0]
        values += [*own, np.percentile(own, 25), np.percentile(own, 75)]
        places += [*points(tmp_path, "01-values", f"runs-{place}")[:, 0], corners.min(), corners.max()]
    assert on_a_line(values, places)
    assert "the box their quartiles" in (tmp_path / "report.html").read_text(encoding="utf-8")
    write_report(make_study(seeds=4), tmp_path)
    assert "the box their quartiles" not in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert all(group(tmp_path, "01-values", f"box-{place}") is None for place in range(4))


def test_values_of_more_than_two_decades_stand_on_a_logarithmic_axis(tmp_path):
    study = make_study(seeds=3, scale=8.0)
    write_report(study, tmp_path)
    values = [row.value for row in study.rows]
    places = [
        place
        for number in range(len(study.variants))
        for place in points(tmp_path, "01-values", f"runs-{number}")[:, 0]
    ]
    assert max(values) / min(values) > 100
    assert on_a_line(np.log(values), places) and not on_a_line(values, places)


def test_costs_against_quality(tmp_path):
    study = make_study(seeds=3)
    write_report(study, tmp_path)
    seconds = [np.mean([row.seconds for row in study.of("jsb", name)]) for name in study.variants]
    flops = [study.of("jsb", name)[0].flops for name in study.variants]
    means = [np.mean([row.value for row in study.of("jsb", name)]) for name in study.variants]
    for kind, costs in (("seconds", seconds), ("FLOPs", flops)):
        x, y = np.concatenate([points(tmp_path, "01-costs", f"{kind}-{number}") for number in range(1, 5)]).T
        assert on_a_line(costs, x) and on_a_line(means, -y)
    root = ElementTree.parse(tmp_path / "figures" / "01-costs.svg").getroot()
    texts = ["".join(each.itertext()) for each in root.iter() if each.tag.endswith("}text")]
    assert {f"{number} {name}" for number, name in enumerate(study.variants, start=1)} <= set(texts)


def test_learning_curves(tmp_path):
    study = make_study(seeds=3, failed={("rnn", seed) for seed in (1, 2, 3)})
    write_report(study, tmp_path)
    known = [name for name in study.variants if name != "rnn"]
    assert group(tmp_path, "01-curves", f"curve-{len(known)}") is None
    for place, name in enumerate(known):
        means = np.mean([[value for _, value in row.curve] for row in study.of("jsb", name)], axis=0)
        x, y = line(tmp_path, "01-curves", f"curve-{place}").T
        assert on_a_line([100, 200, 300, 400, 500, 600], x) and on_a_line(means, -y)


def test_curves_are_averaged_where_half_of_the_runs_got():
    curves = [
        [(10, 4.0), (20, 2.0), (30, 1.0)],
        [(10, 6.0), (20, math.nan), (30, 3.0), (40, 2.0)],  # not finite: on the line between its neighbours
        [(15, 5.0), (20, 5.0)],
        [],
        [(40, math.inf)],
    ]
    found = mean_curve(curves)
    # At 40 there is one of three runs alone.
    assert found.steps == [10, 15, 20, 30]
    np.testing.assert_allclose(found.mean, [5.0, (3 + 5.25 + 5) / 3, (2 + 4.5 + 5) / 3, 2.0])
    assert found.low == [4.0, 3.0, 2.0, 1.0] and found.high == [6.0, 5.25, 5.0, 3.0]
    assert mean_curve([[], [(3, math.nan)]]) is None
