"""What training refuses before it begins."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from rnncli.errors import UserError
from rnncli.training.device import choose_device
from rnncli.training.settings import TrainingSettings


def test_an_average_that_would_never_begin_is_refused() -> None:
    averaging = {"type": "mean", "start": 4}
    assert TrainingSettings.model_validate({"epochs": 4, "averaging": averaging}).averaging is not None
    with pytest.raises(ValidationError, match=r"averaging\.start: 4 is later than the last of 3 epochs"):
        TrainingSettings.model_validate({"epochs": 3, "averaging": averaging})


def test_a_device_that_does_not_exist_is_named_with_the_nearest() -> None:
    with pytest.raises(UserError, match=r"unknown device 'cdua'; did you mean 'cuda'"):
        choose_device("cdua", mixed_precision=False)
