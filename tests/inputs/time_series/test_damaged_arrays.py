"""A damaged .npy file is told of in one sentence, whatever in its header is damaged."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from rnncli.errors import DataError
from rnncli.inputs.time_series.arrays import array


@pytest.mark.filterwarnings("ignore")
def test_no_damage_to_a_header_is_a_traceback(tmp_path: Path) -> None:
    path, draw, refused = tmp_path / "one.npy", random.Random(3), 0
    np.save(path, np.arange(6.0).reshape(3, 2))
    whole = path.read_bytes()
    for _ in range(400):
        spoilt = bytearray(whole)
        for _ in range(draw.randint(1, 4)):
            spoilt[draw.randrange(6, 128)] = draw.randrange(256)
        path.write_bytes(spoilt)
        try:
            array(path, None)
        except DataError as error:
            assert "\n" not in str(error) and str(path) in str(error)
            refused += 1
    assert refused > 380
