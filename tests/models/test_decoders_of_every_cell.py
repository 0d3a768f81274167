"""Every cell in every engine that runs it, as encoder and as decoder."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from cells.variants import every_cell
from engines.test_engines import RUNS

from rnncli.inputs.features import Tokens
from rnncli.models.build import build_model
from rnncli.models.encoder_decoder import EncoderDecoder
from rnncli.models.taught import PREVIOUS, taught

from .test_encoder_decoder import NAMES, TARGET, batch, settings

CELLS = every_cell(hidden_size=5)


@pytest.mark.parametrize("decoder", [{}, {"input_feeding": True, "attention": "additive"}], ids=["at once", "feeding"])
@pytest.mark.parametrize(("engine", "cell"), RUNS)
def test_teacher_forcing_is_decoding_the_same_tokens(engine: str, cell: str, decoder: dict[str, Any]) -> None:
    torch.manual_seed(5)
    options = {"cell": CELLS[cell].model_dump(), "engine": engine, "layers": 2}
    model = build_model(settings(decoder, **options), {"tokens": Tokens(len(NAMES))}, TARGET)
    assert isinstance(model, EncoderDecoder)
    with torch.no_grad():  # as drawn, most things are too small to be told apart
        for parameter in model.parameters():
            parameter.mul_(1.5)
    whole = batch()
    loss = model.loss(whole)[0]
    loss.backward()
    assert loss.isfinite()
    assert all(each.grad is not None and each.grad.isfinite().all() for each in model.parameters() if each.numel())
    model.eval()
    assert whole.targets is not None and whole.target_lengths is not None
    lesson = taught(whole.targets, whole.target_lengths)
    with torch.no_grad():
        expected = model.outputs(whole, None)[0]
        begun, read = model.begin(whole), lesson.inputs[PREVIOUS]
        for state in (begun, replace(begun, stepper=model.writer.stack.stepper())):
            said = []
            for tokens in read.values.unbind(1):
                logits, state = model.writer.logits(tokens, state)
                said.append(logits)
            found = torch.stack(said, 1)[read.mask]
            torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
