"""The checks that every cell and engine goes through see ten mistakes that recurrent code makes."""

import pytest
from cells.variants import TWINS
from engines import test_engines
from torch import nn

from layers import test_recurrent
from layers.mutants import MUTANTS

LSTM = next(name for name, (kind, _) in TWINS.items() if kind is nn.LSTM)

CHECKS = {
    "T": lambda: test_engines.test_equals_packed_torch_nn("loop", LSTM, "unequal"),
    "B": lambda: test_recurrent.test_two_layers_in_both_directions_equal_packed_torch_nn("loop", LSTM, "unequal"),
    "G": lambda: test_engines.test_gradients_are_those_of_finite_differences("loop", LSTM),
    "R": lambda: test_engines.test_a_row_alone_is_the_row_in_its_batch("loop", LSTM),
    "J": lambda: test_engines.test_junk_in_padding_changes_nothing("loop", LSTM),
    "S": lambda: test_engines.test_a_state_handed_over_is_one_long_run("loop", LSTM),
    "D": lambda: test_recurrent.test_the_backward_direction_is_reverse_run_reverse("loop", LSTM),
    "I": lambda: test_recurrent.test_reversal_turns_each_sequence_and_is_its_own_inverse("unequal"),
}
"""T and B are against torch.nn: one direction, and two layers in both. The others need no oracle and see nine of the
ten: gradients of finite differences, a row alone, junk in padding, a state handed over, the backward direction, and its
flip. Which of them see which mistake stands beside the mistakes. That gates are swapped an oracle alone can tell."""


def failing():
    """The letters of the checks that fail, in the order of CHECKS."""
    found = ""
    for letter, check in CHECKS.items():
        try:
            check()
        except (AssertionError, RuntimeError):  # RuntimeError is what gradcheck and a cut graph raise
            found += letter
    return found


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mistake_is_seen_and_by_these_checks(mutant, monkeypatch):
    monkeypatch.setattr(mutant.function, "__code__", mutant.code())
    assert failing() == mutant.caught_by != ""


def test_without_a_mistake_all_checks_pass():
    for check in CHECKS.values():
        check()
