"""How parameters start: every way, at every block of every cell."""

from __future__ import annotations

import math
import subprocess
import sys
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import TypeAdapter
from torch import Tensor

from cells.variants import every_cell
from rnncli.cells import AnyCell, Cell, CellSettings, make_cell
from rnncli.cells.drawing import draw
from rnncli.cells.initialization import by_block, refuse_misfits
from rnncli.cells.initializers import INITIALIZERS, InitializerSettings
from rnncli.cells.weights import CellWeights
from rnncli.config import Settings, options, read, write
from rnncli.errors import ConfigError

HIDDEN, INPUT = 48, 80


class Model(Settings):
    """Holds a cell as a config does."""

    cell: AnyCell
    """What is computed at each step."""


def cell_of(**options: Any) -> CellSettings:
    return TypeAdapter(AnyCell).validate_python({"type": "lstm", "hidden_size": HIDDEN} | options)


def with_initialization(settings: CellSettings, initialization: Mapping[str, object]) -> CellSettings:
    return type(settings).model_validate(settings.model_dump() | {"initialization": initialization})


def started(settings: CellSettings, input_size: int = INPUT, seed: int = 5) -> dict[str, Tensor]:
    """The blocks of new parameters, by name."""
    torch.manual_seed(seed)
    return {name: block.detach() for name, block in CellWeights(make_cell(settings), input_size).blocks().items()}


def spread(block: Tensor, std: float, bounded: bool) -> None:
    """The standard deviation within what chance allows, and whether it is the one of a uniform or normal draw."""
    allowance = 5 / (2 * block.numel()) ** 0.5
    assert block.std().item() == pytest.approx(std, rel=allowance)
    assert abs(block.mean().item()) < 5 * std / block.numel() ** 0.5
    if block.dim() == 2:
        assert bool(block.abs().max() <= 3**0.5 * std) is bounded
        assert block.abs().max() > (1.7 if bounded else 2.5) * std


def uniform(block: Tensor, scale: float = 1.0, low: float | None = None, high: float | None = None) -> None:
    if low is not None and high is not None:
        assert low <= block.min() and block.max() <= high
        spread(block - (low + high) / 2, (high - low) / 12**0.5, bounded=True)
        return
    assert block.abs().max() <= scale / HIDDEN**0.5
    spread(block, scale / (3 * HIDDEN) ** 0.5, bounded=True)


def normal(block: Tensor, std: float = 0.1) -> None:
    spread(block, std, bounded=False)


def xavier(block: Tensor, distribution: str = "uniform", gain: float = 1.0) -> None:
    rows, columns = block.shape
    spread(block, gain * (2 / (rows + columns)) ** 0.5, bounded=distribution == "uniform")


def kaiming(block: Tensor, distribution: str = "uniform") -> None:
    spread(block, (2 / block.shape[1]) ** 0.5, bounded=distribution == "uniform")


def orthogonal(block: Tensor, gain: float = 1.0) -> None:
    wide = block if block.shape[0] <= block.shape[1] else block.T
    torch.testing.assert_close(wide @ wide.T, gain**2 * torch.eye(len(wide)), atol=1e-5, rtol=0)
    assert block.abs().max() < 0.9 * gain  # no identity


def identity(block: Tensor, scale: float = 1.0) -> None:
    torch.testing.assert_close(block, scale * torch.eye(*block.shape), atol=0, rtol=0)


def chrono(block: Tensor, longest: float) -> None:
    assert block.min() >= 0 and block.max() <= math.log(longest - 1)
    spread(block.exp() - longest / 2, (longest - 2) / 12**0.5, bounded=True)


def constant(block: Tensor, value: float) -> None:
    assert torch.equal(block, torch.full_like(block, value))


CHECKS: dict[str, Callable[..., None]] = {
    each.__name__: each for each in (uniform, normal, xavier, kaiming, orthogonal, identity, chrono, constant)
}
OPTIONS: list[dict[str, Any]] = [
    {"type": "uniform"},
    {"type": "uniform", "scale": 0.7},
    {"type": "uniform", "low": -0.25, "high": 2.0},
    {"type": "normal"},
    {"type": "normal", "std": 3.0},
    {"type": "xavier"},
    {"type": "xavier", "gain": 0.25},
    {"type": "xavier", "distribution": "normal", "gain": 2.0},
    {"type": "kaiming"},
    {"type": "kaiming", "distribution": "normal"},
    {"type": "orthogonal"},
    {"type": "orthogonal", "gain": 1.5},
    {"type": "identity"},
    {"type": "identity", "scale": -0.5},
    {"type": "chrono", "longest": 40.0},
    {"type": "constant", "value": 2.5},
]


def check(way: Mapping[str, Any], block: Tensor) -> None:
    CHECKS[way["type"]](block, **{key: value for key, value in way.items() if key != "type"})


def test_every_way_is_checked_here() -> None:
    assert {way["type"] for way in OPTIONS} == set(INITIALIZERS) == set(CHECKS)


@pytest.mark.parametrize("shape", [(HIDDEN, INPUT), (HIDDEN, 30), (HIDDEN, HIDDEN)])
@pytest.mark.parametrize("way", OPTIONS, ids=str)
def test_a_block_has_what_the_way_promises(way: dict[str, Any], shape: tuple[int, int]) -> None:
    torch.manual_seed(4)
    whole = torch.full((4 * HIDDEN, shape[1]), 7.0)
    block = whole[HIDDEN : 2 * HIDDEN]
    draw(block, INITIALIZERS[way["type"]].model_validate(way), HIDDEN)
    check(way, block)
    assert (whole[:HIDDEN] == 7).all() and (whole[2 * HIDDEN :] == 7).all()


@pytest.mark.parametrize("name", list(every_cell()))
def test_blocks_of_a_cell_are_all_its_parameters_once(name: str) -> None:
    weights = CellWeights(make_cell(every_cell(HIDDEN)[name]), INPUT)
    assert tuple(weights.blocks()) == weights.cell.blocks
    with torch.no_grad():
        for block in weights.blocks().values():
            block.zero_().add_(1)
        for block in weights.blocks().values():
            block.add_(1)
    assert sum(block.numel() for block in weights.blocks().values()) == sum(p.numel() for p in weights.parameters())
    assert all((parameter == 2).all() for parameter in weights.parameters())


@pytest.mark.parametrize("letter", ["W", "U", "b", "p", "P"])
@pytest.mark.parametrize("name", list(every_cell()))
def test_a_letter_starts_each_of_its_blocks_and_nothing_else(name: str, letter: str) -> None:
    settings = every_cell(HIDDEN)[name]
    plain = started(settings)
    mine = {block for block in plain if block.partition("_")[0] == letter}
    if not mine:
        return
    shifts = make_cell(settings).bias_shifts()
    for way in OPTIONS:
        if letter in "bp" and INITIALIZERS[way["type"]].matrices_only:
            continue
        found = started(with_initialization(settings, {letter: way}))
        for block in plain:
            if block not in mine:
                assert torch.equal(found[block], plain[block]), block
            elif letter != "b":
                check(way, found[block])
            else:
                check(way, found[block] - shifts.get(block[2:], 0.0))
    distinct = started(with_initialization(settings, {letter: "normal"}))
    assert len({tuple(distinct[block].flatten().tolist()) for block in mine}) == len(mine)


@pytest.mark.parametrize("name", list(every_cell()))
def test_a_block_starts_alone(name: str) -> None:
    settings = every_cell(HIDDEN)[name]
    plain = started(settings)
    for block in plain:
        found = started(with_initialization(settings, {block: 3}))
        constant(found[block], 3)
        assert all(torch.equal(found[other], plain[other]) for other in plain if other != block)


@pytest.mark.parametrize("name", list(every_cell()))
def test_a_cell_starts_as_it_asks_and_else_as_torch_does(name: str) -> None:
    settings = every_cell(HIDDEN)[name]
    cell, found = make_cell(settings), started(settings)
    starts, shifts = by_block(cell.starts(), cell.blocks), cell.bias_shifts()
    for block, drawn in found.items():
        shift = shifts.get(block[2:], 0.0) if block.startswith("b_") else 0.0
        way = starts[block].model_dump() if block in starts else {"type": "uniform"}
        check(way, drawn - shift)


def test_the_block_goes_before_the_letter_whichever_comes_first() -> None:
    for initialization in ({"U": "orthogonal", "U_f": 0.5, "b": 2}, {"U_f": 0.5, "b": 2, "U": "orthogonal"}):
        found = started(cell_of(initialization=initialization))
        constant(found["U_f"], 0.5)
        for block in "igo":
            orthogonal(found[f"U_{block}"])
        assert all((found[f"b_{block}"] == 2).all() for block in "ifgo")


def test_orthogonal_blocks_of_one_matrix_are_not_the_same() -> None:
    found = started(cell_of(initialization={"U": "orthogonal"}))
    assert not torch.allclose(found["U_i"], found["U_f"], atol=0.1)


def test_shifts_are_added_to_a_letter_and_not_to_a_block() -> None:
    found = started(cell_of(forget_bias=1.5, initialization={"b": 0.25, "b_o": -3}))
    assert [found[f"b_{block}"][0].item() for block in "ifgo"] == [0.25, 1.75, 0.25, -3]


class Shifted(Cell[CellSettings]):
    """A cell that no option stops from shifting a bias, with a way of its own for one block."""

    def step(self, x, state, U, p, gate):  # type: ignore[no-untyped-def]
        (h,) = state
        return (x.a + U.a(h) + x.b * U.b(h * p.a),)

    def starts(self) -> Mapping[str, InitializerSettings]:
        return {"U": INITIALIZERS["identity"](), "b": INITIALIZERS["constant"].model_validate({"value": -1.0})}

    def bias_shifts(self) -> Mapping[str, float]:
        return {"a": 4.0, "b": 2.0}


def test_settings_take_the_place_of_what_a_cell_asks_for() -> None:
    ways = {"U_b": {"type": "constant", "value": 9.0}, "b_a": {"type": "constant", "value": 7.0}}
    given = {key: INITIALIZERS[way["type"]].model_validate(way) for key, way in ways.items()}
    settings = CellSettings(type="own", hidden_size=HIDDEN).model_copy(update={"initialization": given})
    refuse_misfits(given, Shifted(settings))
    found = {name: block.detach() for name, block in CellWeights(Shifted(settings), INPUT).blocks().items()}
    identity(found["U_a"])
    constant(found["U_b"], 9)
    constant(found["b_a"], 7)
    constant(found["b_b"], 1)
    uniform(found["W_a"])


def test_a_cell_that_asks_for_blocks_it_has_not_is_wrong() -> None:
    class Wrong(Shifted):
        def starts(self) -> Mapping[str, InitializerSettings]:
            return {"U_c": INITIALIZERS["identity"]()}

    with pytest.raises(ValueError, match=r"unknown parameter 'U_c'; did you mean 'U_\w'"):
        CellWeights(Wrong(CellSettings(type="own", hidden_size=3)), 3)


def test_layers_above_start_where_the_projection_is_missing() -> None:
    settings = cell_of(type="mut1", project=True, initialization={"P": "orthogonal", "U": "orthogonal"})
    orthogonal(started(settings)["P"])
    above = started(settings, input_size=HIDDEN)
    assert "P" not in above
    orthogonal(above["U_n"])


SPELT = {
    "orthogonal": {"type": "orthogonal", "gain": 1.0},
    "uniform": {"type": "uniform", "scale": 1.0, "low": None, "high": None},
    "{type: uniform, scale: 0.7}": {"type": "uniform", "scale": 0.7, "low": None, "high": None},
    "1": {"type": "constant", "value": 1.0},
    "-0.5": {"type": "constant", "value": -0.5},
    "{type: constant, value: 2}": {"type": "constant", "value": 2.0},
}


def cell_from(folder: Path, text: str, *overrides: str) -> CellSettings:
    path = folder / "x.yaml"
    path.write_text(text, encoding="utf-8")
    return read(path, Model, overrides).cell


@pytest.mark.parametrize("spelling", SPELT)
def test_spellings_of_a_way(spelling: str, tmp_path: Path) -> None:
    text = f"cell: {{type: lstm, hidden_size: 4, initialization: {{U: {spelling}}}}}\n"
    given = cell_from(tmp_path, text).initialization
    assert {key: way.model_dump() for key, way in given.items()} == {"U": SPELT[spelling]}
    plain = "cell: {type: lstm, hidden_size: 4}\n"
    assert cell_from(tmp_path, plain, f"cell.initialization.U={spelling}").initialization == given


@pytest.mark.parametrize(
    "initialization",
    [
        "{}",
        "{W: xavier, U: orthogonal, b: 0, b_f: 1, U_g: {type: uniform, scale: 0.7}}",
        "{W: {type: uniform, low: -0.1, high: 0.1}, b_f: {type: chrono, longest: 9}}",
    ],
)
def test_what_is_written_reads_back(initialization: str, tmp_path: Path) -> None:
    cell = cell_from(tmp_path, f"cell: {{type: lstm, hidden_size: 4, initialization: {initialization}}}\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        text = write(Model(cell=cell))
        assert Model.model_validate_json(Model(cell=cell).model_dump_json()).cell == cell
    assert cell_from(tmp_path, text) == cell


HEAD = "cell:\n  type: lstm\n  hidden_size: 4\n  initialization:\n"
ALLOWED = "allowed: U, U_f, U_g, U_i, U_o, W, W_f, W_g, W_i, W_o, b, b_f, b_g, b_i, b_o"
WAYS = "one of uniform, normal, xavier, kaiming, orthogonal, identity or number or keys with values, 'type' among them"
REFUSED = {
    "u: 1": f"5: cell.initialization.u: unknown parameter 'u'; did you mean 'U'? {ALLOWED}",
    "b_ff: 1": f"5: cell.initialization.b_ff: unknown parameter 'b_ff'; did you mean 'b_f'? {ALLOWED}",
    "p: 1": f"5: cell.initialization.p: unknown parameter 'p'; {ALLOWED}",
    "P: 1": f"5: cell.initialization.P: unknown parameter 'P'; {ALLOWED}",
    "b: orthogonal": "8: cell.initialization.b: orthogonal is for matrices, and b is none; "
                     "allowed: uniform, normal, chrono, constant",
    "b_i: {type: xavier}": "10: cell.initialization.b_i: xavier is for matrices, and b_i is none; "
                           "allowed: uniform, normal, chrono, constant",
    "W: xaver": f"8: cell.initialization.W: expected {WAYS}, found 'xaver'; did you mean 'xavier'?",
    "W: constant": f"8: cell.initialization.W: expected {WAYS}, found 'constant'",
    "W: true": f"8: cell.initialization.W: expected {WAYS}, found true",
    "W:": f"7: cell.initialization.W: expected {WAYS}, found null",
    "W: .inf": "8: cell.initialization.W: must be finite, found .inf",
    "W: {gain: 1}": "8: cell.initialization.W: missing key 'type': " + "one of " + ", ".join(INITIALIZERS),
    "W: {type: constant}": "8: cell.initialization.W: missing key 'value' (The number)",
    "W: {type: chrono}": "8: cell.initialization.W: missing key 'longest' (Steps that the longest dependency spans)",
    "W: {type: uniform, low: 0}": "8: cell.initialization.W: low and high go together; give both or none",
    "W: {type: uniform, high: 1}": "8: cell.initialization.W: low and high go together; give both or none",
    "W: {type: uniform, low: 1, high: 1}": "8: cell.initialization.W: low 1 is not below high 1",
    "W: {type: uniform, scale: 2, low: 0, high: 1}": "8: cell.initialization.W: low and high take the place of scale; "
                                                     "leave it out",
    "W: {type: xavier, gain: 0}": "29: cell.initialization.W.gain: must be greater than 0, found 0",
    "W: {type: xavier, scale: 1}": "23: cell.initialization.W.scale: unknown key 'scale'; "
                                   "allowed: distribution, gain, type",
}  # fmt: skip


@pytest.mark.parametrize("line", REFUSED)
def test_refused_with_place_and_nearest_name(line: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refusal:
        cell_from(tmp_path, f"{HEAD}    {line}\n")
    [block] = refusal.value.mistakes
    assert block.splitlines()[0] == f"{tmp_path}/x.yaml:5:{REFUSED[line]}"


@pytest.mark.parametrize("key", ["p", "p_a"])
def test_a_vector_is_no_matrix_either(key: str) -> None:
    with pytest.raises(ValueError, match=f"orthogonal is for matrices, and {key} is none"):
        cell_of(type="indrnn", initialization={key: "orthogonal"})


def test_all_misfits_come_at_once_and_overrides_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refusal:
        cell_from(tmp_path, f"{HEAD}    U: 1\n    q: 1\n    b: identity\n", "cell.initialization.U_q=xavier")
    first, second, third = refusal.value.mistakes
    assert first.startswith(f"{tmp_path}/x.yaml:6:5: cell.initialization.q: unknown parameter 'q'")
    assert second.startswith(f"{tmp_path}/x.yaml:7:8: cell.initialization.b: identity is for matrices")
    assert third.startswith("--set cell.initialization.U_q=xavier: unknown parameter 'U_q'; did you mean 'U_")


def test_one_place_for_one_thing(tmp_path: Path) -> None:
    text = "cell: {type: lstm, hidden_size: 4, forget_bias: 2, initialization: {b_f: 1}}\n"
    with pytest.raises(
        ConfigError, match=r"x.yaml:1:74: cell.initialization.b_f: forget_bias also says how b_f starts"
    ):
        cell_from(tmp_path, text)
    assert cell_from(tmp_path, text, "cell.forget_bias=0").initialization  # the default, as a run's config gives it
    elsewhere = cell_from(tmp_path, text.replace("b_f", "b_i"))
    assert started(elsewhere)["b_i"].unique().tolist() == [1]


@pytest.mark.parametrize(
    ("options", "initialization"),
    [
        ({"type": "irnn", "scale": 0.5}, {"U": "orthogonal"}),
        ({"type": "irnn", "scale": 0.5}, {"U_a": 1}),
        ({"type": "layer_norm_lstm", "forget_bias": 2}, {"p_b_f": 1}),
        ({"type": "rhn", "transform_bias": -4}, {"p": 1}),
    ],
)
def test_an_option_for_the_start_alone_is_refused_beside_what_takes_its_place(
    options: dict[str, Any], initialization: dict[str, Any]
) -> None:
    key = [*options][1]
    with pytest.raises(ValueError, match=f"{key} also says how"):
        cell_of(**options, initialization=initialization)
    assert cell_of(type=options["type"], initialization=initialization).initialization


@pytest.mark.parametrize("options", [{"type": "janet", "beta": 2}, {"type": "rhn", "depth": 5}])
def test_other_options_stand_beside_any_start(options: dict[str, Any]) -> None:
    blocks = make_cell(cell_of(**options)).blocks
    assert cell_of(**options, initialization=dict.fromkeys(blocks, 0)).initialization.keys() == set(blocks)


def test_misfits_are_found_without_torch() -> None:
    code = (
        "import sys; from pydantic import TypeAdapter, ValidationError; from rnncli.cells import AnyCell\n"
        "try: TypeAdapter(AnyCell).validate_python({'type': 'gru', 'hidden_size': 3, 'initialization': {'U_q': 1}})\n"
        "except ValidationError as error: assert 'U_q' in str(error)\n"
        "else: sys.exit('not refused')\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_help_says_what_every_way_is() -> None:
    found = {option.key: option for option in options(Model)}
    text = found["cell.initialization.*.type"].help
    for name, settings in INITIALIZERS.items():
        told = " ".join((settings.model_fields["type"].description or "").split())
        assert told and f"{name}: {told}" in text
    assert found["cell.initialization"].default == "{}"
