"""How parameters start: alike by their names, and in one way throughout where one is asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from rnncli.cells.drawing import Streams
from rnncli.cells.initializers import INITIALIZERS
from rnncli.cells.weights import CellWeights
from rnncli.heads.settings import HEAD_SETTINGS
from rnncli.inputs.features import Feature, Images, Tokens, Values
from rnncli.inputs.targets import Target
from rnncli.models.build import build_model
from rnncli.models.settings import ModelSettings

from .data import settings
from .parts import CELLS, HIDDEN, TARGETS, by_nobody, by_the_cell, model_of, parts

PAIRS = [*((name, "classes") for name in CELLS), *(("lstm_vanilla", head) for head in TARGETS if head != "classes")]
"""Every cell, and every head."""


def in_cells(name: str) -> bool:
    return ".weights." in name


@pytest.mark.parametrize(("name", "head"), PAIRS)
def test_models_of_all_cells_start_alike_where_names_and_shapes_agree(name: str, head: str) -> None:
    plain, other = model_of(CELLS["lstm"], head), model_of(CELLS[name], head)
    expected, found = parts(plain), parts(other)
    alike = {key for key in expected.keys() & found.keys() if expected[key].shape == found[key].shape}
    assert alike >= {key for key in expected if not in_cells(key) and not key.startswith("stack.initial")}
    for key in alike - by_the_cell(other):
        torch.testing.assert_close(found[key], expected[key], rtol=0, atol=1e-6, msg=key)


def test_every_head_is_built_here() -> None:
    assert set(TARGETS) == {*HEAD_SETTINGS, "forecast"}


def test_all_blocks_of_an_lstm_are_those_of_one_without_input_gate() -> None:
    plain, other = parts(model_of(CELLS["lstm"])), parts(model_of(CELLS["lstm_nig"]))
    kept = {key for key in plain if in_cells(key) and not key.endswith("_i")}
    assert kept == {key for key in other if in_cells(key) and not key.rpartition(".")[2].startswith("p_")}
    assert all(torch.equal(plain[key], other[key]) for key in kept)


def test_a_layer_starts_alike_whatever_stands_above_it_and_whatever_it_reads() -> None:
    ahead = {"bidirectional": False, "connections": "none"}
    one, two = (parts(model_of(CELLS["lstm"], layers=layers, **ahead)) for layers in (1, 2))
    wide = parts(model_of(CELLS["lstm"], layers=2, category_embedding_size=9, **ahead))
    below = [key for key in one if key.startswith("stack.weights.0.")]
    assert len(below) == 12
    assert all(torch.equal(one[key], two[key]) for key in below)
    assert all(torch.equal(two[key], wide[key]) is not key.startswith("stack.weights.0.W") for key in two
               if in_cells(key))  # fmt: skip


@pytest.mark.parametrize("head", TARGETS)
def test_what_torch_draws_after_building_does_not_depend_on_the_model(head: str) -> None:
    draws = set()
    for name in CELLS:
        for layers in (1, 2):
            model_of(CELLS[name], head, layers=layers, bidirectional=layers == 1, connections="none")
            draws.add(tuple(torch.rand(3).tolist()))
    assert len(draws) == 1


@pytest.mark.parametrize("head", TARGETS)
@pytest.mark.parametrize("name", ["lstm", "rhn", "layer_norm_lstm"])
def test_the_seed_alone_decides(name: str, head: str) -> None:
    model, same, other = (model_of(CELLS[name], head, seed=seed) for seed in (3, 3, 4))
    one, again, another = parts(model), parts(same), parts(other)
    assert all(torch.equal(one[key], again[key]) for key in one)
    still = {key for key in one if torch.equal(one[key], another[key])}
    assert by_nobody(model) <= still <= by_nobody(model) | by_the_cell(model)


@pytest.mark.parametrize(("name", "head"), PAIRS)
def test_no_two_share_a_stream(name: str, head: str) -> None:
    one, other = (parts(model_of(CELLS[name], head, seed=seed)) for seed in (3, 4))
    drawn = [each.flatten()[:HIDDEN] for key, each in one.items() if not torch.equal(each, other[key])]
    rows = torch.stack([each for each in drawn if len(each) == HIDDEN]).double()
    correlations = torch.corrcoef(rows).fill_diagonal_(0)
    assert len(rows) >= 15 and correlations.abs().max() < 0.95
    assert correlations.square().mean().item() == pytest.approx(1 / (HIDDEN - 1), rel=0.3)


def test_two_cells_in_a_row_are_two() -> None:
    torch.manual_seed(1)
    cell = model_of(CELLS["gru-after"]).stack.cell
    first, second = (parts_of(CellWeights(cell, 7)) for _ in range(2))
    assert not any(torch.equal(first[key], second[key]) for key in first)


def parts_of(weights: CellWeights) -> dict[str, Tensor]:
    return {name: block.detach() for name, block in weights.blocks().items()}


def spread(drawn: Tensor, std: float, bound: float | None) -> None:
    """The mean and the standard deviation within what chance allows, and how far it goes."""
    assert drawn.std().item() == pytest.approx(std, rel=5 / (2 * drawn.numel()) ** 0.5)
    assert abs(drawn.mean().item()) < 5 * std / drawn.numel() ** 0.5
    assert bound is None or drawn.abs().max() <= bound


WAYS: list[tuple[Any, float, float | None]] = [
    ({"type": "uniform", "scale": 0.5}, 0.5 / (3 * HIDDEN) ** 0.5, 0.5 / HIDDEN**0.5),
    ({"type": "uniform", "low": -0.05, "high": 0.05}, 0.05 / 3**0.5, 0.05),
    ("normal", 0.1, None),
]


@pytest.mark.parametrize(("way", "std", "bound"), WAYS)
@pytest.mark.parametrize(("name", "head"), PAIRS)
def test_one_way_for_everything_that_is_drawn(name: str, head: str, way: Any, std: float, bound: float | None) -> None:
    plain, model = model_of(CELLS[name], head), model_of(CELLS[name], head, initialization=way)
    before, found, stay = parts(plain), parts(model), by_nobody(model) | by_the_cell(model)
    for key, drawn in found.items():
        assert torch.equal(drawn, before[key]) is (key in stay), key
        if key not in stay:
            assert bound is None or drawn.abs().max() <= bound + 1e-6, key  # rounding of what was shifted
            if drawn.numel() >= 20:
                spread(drawn, std, None)
    spread(torch.cat([drawn.flatten() for key, drawn in found.items() if key not in stay]), std, None)


@pytest.mark.parametrize("way", [name for name, way in INITIALIZERS.items() if way.matrices_only])
@pytest.mark.parametrize("head", TARGETS)
def test_a_way_for_matrices_leaves_vectors(head: str, way: str) -> None:
    plain, model = model_of(CELLS["lstm"], head), model_of(CELLS["lstm"], head, initialization=way)
    before, found = parts(plain), parts(model)
    for key, drawn in found.items():
        assert torch.equal(drawn, before[key]) is (drawn.dim() == 1), key


def test_an_orthogonal_model_has_orthogonal_matrices() -> None:
    for key, drawn in parts(model_of(CELLS["gru-after"], "values", initialization="orthogonal")).items():
        if drawn.dim() == 2 and "embedding" not in key:  # of those one row has been put to zeros
            wide = drawn if drawn.shape[0] <= drawn.shape[1] else drawn.T
            torch.testing.assert_close(wide @ wide.T, torch.eye(len(wide)), atol=1e-5, rtol=0, msg=key)


def test_what_the_cell_says_goes_first_and_shifts_come_after() -> None:
    cell = CELLS["lstm"].model_copy(update={"forget_bias": 2.0})
    given = cell.model_validate(cell.model_dump() | {"initialization": {"U_g": "orthogonal", "b_o": -3}})
    plain, ways = model_of(given), {"type": "uniform", "low": 0.5, "high": 0.75}
    for before, after in zip(plain.stack.weights, model_of(given, initialization=ways).stack.weights, strict=True):
        old, new = before.blocks(), after.blocks()
        assert torch.equal(new["U_g"], old["U_g"]) and (new["b_o"] == -3).all()
        assert new["b_f"].min() >= 2.5 and new["b_f"].max() <= 2.75
        assert new["U_f"].min() >= 0.5 and new["U_f"].max() <= 0.75
    identity = model_of(CELLS["irnn"], initialization="normal").stack.weights[0]
    assert torch.equal(identity.weight_hh, torch.eye(HIDDEN)) and not identity.bias.any()


def test_tied_embeddings_start_once() -> None:
    target = Target("token", tuple("abcdefgh"), (1,) * 8, per_step=True)
    model = build_model(settings(tied_embeddings=True, initialization="normal"), {"text": Tokens(8)}, target)
    assert model.head.weight is None and model.head.projection is not None
    spread(model.inputs.embeddings[0].weight.detach()[1:], 0.1, None)
    spread(model.head.projection.weight.detach(), 0.1, None)
    assert not model.inputs.embeddings[0].weight[0].any()


def decoders(seed: int, **options: Any) -> dict[str, dict[str, Tensor]]:
    """The parameters of models that write: of tokens, of pictures, of windows."""
    chosen = {"cell": {"type": "lstm", "hidden_size": HIDDEN}, **options}
    entries = tuple(map(str, range(30)))
    written = Target("sequence", entries, (1,) * 30, units="word", shared=True)
    coverage = {"attention": "additive", "input_feeding": True, "coverage": 0.5, "copy_words": True}
    pictures = {"image_encoder": {"channels": [8, 24], "residual": True}, "decoder": {}}
    kinds: dict[str, tuple[dict[str, Any], dict[str, Feature], Target]] = {
        "tokens": ({"bidirectional": True, "layers": 2, "decoder": coverage}, {"tokens": Tokens(30)}, written),
        "pictures": (pictures, {"image": Images(8, 8)}, replace(written, from_one=True, shared=False)),
        "windows": ({"decoder": {}}, {"values": Values(4, (2, 0))}, Target("forecast", ("p", "q"), horizon=4)),
    }
    found = {}
    for kind, (more, features, target) in kinds.items():
        torch.manual_seed(seed)
        model = build_model(ModelSettings.model_validate({**chosen, **more}), features, target, context=8)
        found[kind] = {name: each.detach() for name, each in model.named_parameters()} | {"behind": torch.rand(9)}
    return found


def test_models_that_write_start_as_all_others() -> None:
    one, again, other, normal = decoders(3), decoders(3), decoders(4), decoders(3, initialization="normal")
    assert len({tuple(each["behind"].tolist()) for each in one.values()}) == 1
    for kind, drawn in one.items():
        assert all(torch.equal(each, again[kind][key]) for key, each in drawn.items())
        del drawn["behind"]
        still = {key for key in drawn if "norm" in key}
        assert bool(still) is (kind == "pictures")
        for others in (other[kind], normal[kind]):
            assert {key for key, each in drawn.items() if torch.equal(each, others[key])} == still
        ends = [each.flatten()[-HIDDEN:] for key, each in drawn.items() if key not in still and each.numel() >= HIDDEN]
        correlations = torch.corrcoef(torch.stack(ends).double()).fill_diagonal_(0)
        assert len(ends) >= 8 and correlations.abs().max() < 0.95


def test_a_stream_leaves_the_generator_where_it_was() -> None:
    streams = Streams()
    before = torch.get_rng_state()
    with streams.named("one"):
        torch.rand(3)
    assert torch.equal(torch.get_rng_state(), before)
