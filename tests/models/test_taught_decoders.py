"""Decoders while they are taught: how far gradients go back, whose tokens are read, in what precision."""

from __future__ import annotations

import pytest
import torch

from rnncli.models.taught import taught, taught_tokens

from .test_encoder_decoder import WAYS, WRITTEN, batch, model_of, one


@pytest.mark.parametrize("way", ["input feeding", "coverage", "plain"])
def test_gradients_go_back_no_further_than_asked(way: str) -> None:
    """What the last token depends on: the tokens read within the last two steps, and not those before."""
    model, whole = model_of(WAYS[way]), one(batch(), 0)
    lesson = taught_tokens([[2, 3, 4, 5, 6, 7]], torch.device("cpu"))
    assert model.writer.embedding is not None
    last = {6, 7} if way == "plain" else {7}  # at once the steps are counted from the end, else from the beginning
    for steps, reached in ((2, last), (None, {0, *range(2, 8)})):
        said, _ = model.writer.taught(model.begin(whole), lesson, 0.0, steps)
        gradient = torch.autograd.grad(said[-1].square().sum(), model.writer.embedding.weight)[0]
        assert set(gradient.any(dim=1).nonzero().flatten().tolist()) == reached


@pytest.mark.parametrize("feeding", [False, True])
def test_guesses_are_dropped_as_all_that_is_read(feeding: bool) -> None:
    """Where every token is dropped, it does not matter whose it was."""
    losses = []
    for share in (0.0, 1.0):
        decoder = {"input_feeding": feeding, "scheduled_sampling": share}
        if share:
            decoder["scheduled_sampling_steps"] = 1
        model = model_of(decoder, dropout={"word": 0.99999}).train()
        losses.append(float(model.loss(batch())[0].detach()))
    assert losses[0] == pytest.approx(losses[1], abs=1e-6)


@pytest.mark.parametrize("way", WAYS)
def test_in_bfloat16_the_loss_is_about_the_same(way: str) -> None:
    model, whole = model_of(WAYS[way]).train(), batch()
    expected = float(model.loss(whole)[0].detach())
    with torch.autocast("cpu", torch.bfloat16):
        loss, _, _ = model.loss(whole)
    loss.backward()
    assert loss.dtype == torch.float32
    assert float(loss.detach()) == pytest.approx(expected, rel=0.01)
    assert all(each.grad is not None and bool(each.grad.isfinite().all()) for each in model.parameters())


@pytest.mark.parametrize("copies", [False, True])
@pytest.mark.parametrize("feeding", [False, True])
def test_scheduled_sampling_reads_guesses_in_the_asked_share(feeding: bool, copies: bool) -> None:
    decoder = {"input_feeding": feeding, "copy_words": copies}
    options = {"scheduled_sampling": 1.0, "scheduled_sampling_steps": 4, **decoder}
    model, whole = model_of(options).train(), batch()
    gold = model_of(decoder).train()
    assert gold.loss(whole)[0].item() == pytest.approx(model.eval().loss(whole)[0].item(), abs=1e-6)
    model.train()
    losses = [float(model.loss(whole)[0].detach()) for _ in range(4)]
    assert int(model.guesses.lessons) == 4
    lesson = taught(whole.targets, whole.target_lengths)  # type: ignore[arg-type]
    state, tokens, said = model.begin(whole), lesson.inputs["previous"].values, []
    with torch.no_grad():
        if feeding:  # all tokens but the first are the decoder's own
            token = tokens[:, 0]
            for _ in range(tokens.shape[1]):
                step, state = model.writer.logits(token, state)
                said.append(step)
                token = step.argmax(1)
            all_said = torch.stack(said, 1)
        else:
            first, _ = model.writer.taught(state, lesson, 0.0, None)
            steps, at = lesson.inputs["previous"].values.clone(), 0
            for row, length in enumerate(WRITTEN):
                steps[row, 1 : length + 1] = first[at : at + length].argmax(1)
                at += length + 1
            read = lesson.inputs["previous"].with_values(steps)
            flat, _ = model.writer._at_once(state, read, None)
            expected = torch.nn.functional.cross_entropy(flat, model.writer.head.known_targets(lesson))
            assert losses[-1] == pytest.approx(float(expected), abs=1e-5)
            return
    total = sum(
        torch.nn.functional.cross_entropy(all_said[row, : n + 1], lesson.targets[row, : n + 1], reduction="sum")  # type: ignore[index]
        for row, n in enumerate(WRITTEN)
    )
    assert losses[-1] == pytest.approx(float(total) / (sum(WRITTEN) + 4), abs=1e-5)
    assert losses[0] != losses[-1]
