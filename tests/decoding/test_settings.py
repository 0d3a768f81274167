"""Options of decoding, from a config and from the command line."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from rnncli.decoding.settings import GREEDY, DecodingSettings, overridden
from rnncli.errors import UserError

SAMPLE = DecodingSettings(method="sample", top_k=7, seed=3, max_length=9)
BEAM = DecodingSettings(method="beam", beam_size=4, length_penalty=0.5, n_best=2)


@pytest.mark.parametrize(
    ("before", "given", "after"),
    [
        (GREEDY, {}, {"method": "greedy"}),
        (GREEDY, {"temperature": 0.5}, {"method": "sample", "temperature": 0.5}),
        (
            SAMPLE,
            {"temperature": 0.5},
            {"method": "sample", "temperature": 0.5, "top_k": 7, "seed": 3, "max_length": 9},
        ),
        (SAMPLE, {"beam_size": 2}, {"method": "beam", "beam_size": 2, "max_length": 9}),
        (BEAM, {"seed": 8}, {"method": "sample", "seed": 8, "n_best": 2}),
        (BEAM, {"n_best": 6}, {"method": "beam", "beam_size": 6, "length_penalty": 0.5, "n_best": 6}),
        (GREEDY, {"n_best": 3}, {"method": "beam", "n_best": 3}),
        (GREEDY, {"n_best": 8}, {"method": "beam", "beam_size": 8, "n_best": 8}),
        (
            BEAM,
            {"max_length": 5},
            {"method": "beam", "beam_size": 4, "length_penalty": 0.5, "n_best": 2, "max_length": 5},
        ),
    ],
)
def test_an_option_brings_its_method(before: DecodingSettings, given: dict[str, Any], after: dict[str, Any]) -> None:
    assert overridden(before, given) == DecodingSettings(**after)


def test_options_of_two_methods_are_refused() -> None:
    with pytest.raises(UserError, match=r"temperature \(sample\), beam_size \(beam\)"):
        overridden(GREEDY, {"temperature": 0.5, "beam_size": 3})


@pytest.mark.parametrize(
    "options",
    [
        {"temperature": 0.5},
        {"n_best": 2},
        {"method": "beam", "beam_size": 2, "n_best": 3},
        {"method": "beam", "top_k": 4},
    ],
)
def test_options_that_would_do_nothing_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=r"belongs to|n_best"):
        DecodingSettings(**options)
