"""Settings, parameters and single steps of the cells."""

import re
import subprocess
import sys

import pytest
import torch
from pydantic import TypeAdapter, ValidationError

from cells.variants import TWINS, every_cell, twin
from rnncli.cells import CELLS, AnyCell, make_cell
from rnncli.cells.families.lstm import LSTMSettings
from rnncli.cells.families.lstm_variants import VARIANTS
from rnncli.cells.weights import CellWeights


def test_settings_of_every_cell_are_known_without_torch():
    code = (
        "import sys, rnncli.cells, rnncli.engines.settings, rnncli.layers.settings\n"
        "assert list(rnncli.cells.CELLS), 'no cells'\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", list(CELLS))
def test_type_chooses_the_settings(name):
    settings = TypeAdapter(AnyCell).validate_python({"type": name, "hidden_size": 3})
    assert type(make_cell(settings)) is CELLS[name]
    assert make_cell(settings).hidden_size == 3


@pytest.mark.parametrize("name", [name for name in CELLS if name not in VARIANTS])
def test_the_help_of_a_config_says_the_same_as_describe(name):
    assert CELLS[name].settings_type.model_fields["type"].description == CELLS[name].about(name)


@pytest.mark.parametrize("name", list(CELLS))
def test_every_cell_names_its_paper(name):
    assert (
        re.search(r"\((?:\w[\w ]* )?\w+(?: et al\.| & \w+)? \d{4}\)\.$", CELLS[name].about(name))
        or name == "lstm_printed"
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "lstn", "hidden_size": 3},
        {"type": "lstm", "hidden_size": 0},
        {"type": "lstm", "hidden_size": 3, "reset": "after"},
        {"type": "gru", "hidden_size": 3, "reset": "later"},
        {"type": "gru"},
    ],
)
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(ValidationError):
        TypeAdapter(AnyCell).validate_python(wrong)


@pytest.mark.parametrize("name", list(TWINS))
def test_parameters_are_laid_out_as_in_torch(name):
    weights = CellWeights(make_cell(every_cell()[name]), 3)
    module = twin(name, [weights])
    assert weights.weight_ih.shape == module.weight_ih_l0.shape
    assert weights.weight_hh.shape == module.weight_hh_l0.shape
    assert weights.bias.shape == module.bias_ih_l0.shape


def test_forget_bias_is_added_to_the_forget_gate_alone():
    def bias(**options):
        torch.manual_seed(1)
        return CellWeights(make_cell(LSTMSettings(type="lstm", hidden_size=4, **options)), 3).bias.detach()

    difference = bias(forget_bias=1.5) - bias()
    torch.testing.assert_close(difference, torch.tensor([0.0] * 4 + [1.5] * 4 + [0.0] * 8))
