"""What every settings class does."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from .example import LSTM, Clip, Example


def test_changed_goes_by_the_value_not_by_who_gave_it() -> None:
    given = Example(cell=LSTM(type="lstm", hidden_size=2), whole=3, stack=[], rate=0.5, limits=Clip())
    assert not given.changed("whole")
    assert not given.changed("stack")
    assert given.changed("rate")
    assert given.changed("limits")


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Clip().norm = 3.0  # type: ignore[misc]
