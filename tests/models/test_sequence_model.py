"""Models of sequences: padding, parts, states, training."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from rnncli.inputs.batches import Batch, Sequences
from rnncli.inputs.features import Categories, Feature, Spelling, Tokens, Values
from rnncli.inputs.targets import Target
from rnncli.models.build import build_model
from rnncli.sequences import Padded

from .data import LENGTHS, everything, ids, numbers, ragged, settings

STEPS = int(LENGTHS.sum())
FEATURES: dict[str, Feature] = {
    "words": Tokens(20),
    "values": Values(3),
    "characters": Spelling(9),
    "kind.of": Categories(4),
}
TARGETS = {
    "class": (Target("class", ("a", "b", "c"), (2, 2, 1)), torch.tensor([0, 1, 2, 1, 0])),
    "labels": (Target("labels", ("a", "b"), (2, 2)), torch.tensor([[0.0, 1], [1, 1], [0, 0], [1, 0], [0, 1]])),
    "value": (Target("value", ("a", "b")), torch.randn(5, 2)),
    "tag": (Target("tag", ("B", "O", "I"), (1, 1, 1), per_step=True, scheme="BIO"), torch.arange(STEPS) % 3),
    "frame": (Target("frame", ("a", "b"), (1, 1), per_step=True), (torch.rand(STEPS, 2) > 0.5).float()),
    "values per step": (Target("value", ("a",), per_step=True), torch.randn(STEPS, 1)),
    "token": (Target("token", tuple("abcd"), (1, 1, 1, 1), per_step=True), torch.arange(STEPS) % 4),
}


def data(kind: str) -> tuple[Target, Sequences]:
    target, truth = TARGETS[kind]
    return target, everything(ragged(truth) if target.per_step else truth)


@pytest.mark.parametrize("kind", TARGETS)
def test_row_alone_is_row_in_batch_whatever_the_padding_holds(kind: str) -> None:
    target, dataset = data(kind)
    options = {} if target.per_step else {"pooling": ["last", "mean", "max", "attention"]}
    both = kind not in ("frame", "token")
    model = build_model(settings(layers=2, bidirectional=both, **options), FEATURES, target).eval()
    batch = dataset.batch(np.arange(5))
    junk = replace(batch, inputs={name: _junk(name, values) for name, values in batch.inputs.items()})
    together, _ = model.outcome(junk)
    assert together.lengths.tolist() == (LENGTHS.tolist() if target.per_step else [1] * 5)
    alone = [model.outcome(dataset.batch(np.array([row])))[0] for row in range(5)]
    for name in ("predicted", "target", "probabilities", "nll"):
        if getattr(together, name) is not None:
            rows = np.concatenate([getattr(outcome, name) for outcome in alone])
            np.testing.assert_allclose(getattr(together, name), rows, rtol=1e-4, atol=1e-6)
    losses = [model.loss(dataset.batch(np.array([row])))[:2] for row in range(5)]
    loss, items, _ = model.loss(junk)
    expected = sum(float(loss.detach()) * items for loss, items in losses) / items
    assert float(loss.detach()) == pytest.approx(expected, rel=1e-4)


def _junk(name: str, inputs: Padded) -> Padded:
    mask = inputs.mask.reshape(inputs.mask.shape + (1,) * (inputs.values.dim() - 2))
    junk = torch.tensor(1e6) if name == "values" else torch.tensor(1)
    return inputs.with_values(torch.where(mask, inputs.values, junk.to(inputs.values.dtype)))


@pytest.mark.parametrize("kind", TARGETS)
def test_training_lowers_the_loss_and_weights_come_back(kind: str) -> None:
    target, dataset = data(kind)
    dropout = {"embedding": 0.05, "word": 0.05, "variational": 0.05}
    chosen = settings(dropout=dropout, **({"head": {"type": "crf", "constrain": True}} if kind == "tag" else {}))
    batch = dataset.batch(np.arange(5))
    if kind == "tag":
        batch = replace(batch, targets=torch.zeros_like(batch.targets))
    model = build_model(chosen, FEATURES, target)
    optimizer = torch.optim.Adam(model.parameters(), 0.02)
    before = float(model.eval().loss(batch)[0].detach())
    model.train()
    for _ in range(15):
        optimizer.zero_grad()
        model.loss(batch)[0].backward()
        optimizer.step()
    assert all(weight.grad is not None for weight in model.parameters())
    after = float(model.eval().loss(batch)[0].detach())
    assert after < 0.9 * before
    again = build_model(chosen, FEATURES, target).eval()
    assert float(again.loss(batch)[0].detach()) != after
    again.load_state_dict(model.state_dict())
    assert float(again.loss(batch)[0].detach()) == after


def test_every_input_counts() -> None:
    target, dataset = data("class")
    model = build_model(settings(), FEATURES, target).eval()
    batch = dataset.batch(np.arange(5))
    outcome, _ = model.outcome(batch)
    for name, inputs in batch.inputs.items():
        other = inputs.values + 1 if name == "values" else torch.roll(inputs.values, 1, 0)
        changed, _ = model.outcome(replace(batch, inputs={**batch.inputs, name: inputs.with_values(other)}))
        assert np.abs(changed.probabilities - outcome.probabilities).max() > 1e-5, name


def test_a_plain_model_is_torchs_lstm_with_a_linear_layer() -> None:
    dataset = Sequences({"x": ragged(numbers(4))}, torch.tensor([0, 1, 1, 0, 1]))
    model = build_model(settings(), {"x": Values(4)}, Target("class", ("a", "b"), (2, 3)))
    lstm, weights = nn.LSTM(4, 5, batch_first=True), model.stack.weights[0]
    lstm.load_state_dict(
        {
            "weight_ih_l0": weights.weight_ih,
            "weight_hh_l0": weights.weight_hh,
            "bias_ih_l0": weights.bias,
            "bias_hh_l0": torch.zeros(20),
        }
    )
    batch = dataset.batch(np.arange(5))
    outcome, _ = model.outcome(batch)
    for row, length in enumerate(LENGTHS):
        with torch.no_grad():
            last = lstm(batch.inputs["x"].values[row : row + 1, :length])[0][0, -1]
            expected = (model.head.weight @ last + model.head.bias).softmax(0)
        np.testing.assert_allclose(outcome.probabilities[row], expected.numpy(), rtol=1e-5)
    assert model.parameter_count == 4 * 5 * 4 + 4 * 5 * 5 + 20 + 2 * 5 + 2
    assert model.engine in ("native", "torch") and model.engine_reason  # with a C compiler, and without


STREAM = Target("token", tuple("abcdefgh"), (1,) * 8, per_step=True)


def stream(model_target: torch.Tensor, first: int, last: int) -> Batch:
    """Steps of a stream of 3 columns; the target is the token that follows."""
    cut = model_target[:, first : last + 1]
    inputs = Padded(cut[:, :-1], torch.full((3,), last - first))
    return Batch({"text": inputs}, cut[:, 1:], np.arange(3), continues=first > 0)


AROUND_THE_CELLS = {"connections": "highway", "learned_initial_state": True, "dropout": {"zoneout": 0.2}}


@pytest.mark.parametrize("options", [{}, AROUND_THE_CELLS])
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_a_stream_in_parts_is_the_stream_in_one(cell: str, options: dict[str, object]) -> None:
    text = torch.randint(0, 8, (3, 13))
    chosen = settings(
        cell={"type": cell, "hidden_size": 5}, layers=2, embedding_size=4, tied_embeddings=True, **options
    )
    model = build_model(chosen, {"text": Tokens(8)}, STREAM).eval()
    for learned in model.stack.initial.parameters():
        nn.init.normal_(learned)
    whole, _ = model.outcome(stream(text, 0, 12))
    state, parts = None, []
    for first, last in ((0, 5), (5, 6), (6, 12)):
        _, _, after = model.loss(stream(text, first, last), state)
        outcome, state = model.outcome(stream(text, first, last), state)
        parts.append(outcome.nll.reshape(3, -1))
        flat = model.flat_state(state)
        assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(flat, model.flat_state(after), strict=True))
        assert not any(tensor.requires_grad for tensor in model.flat_state(after))
        state = model.state_from_flat(flat)
    np.testing.assert_allclose(whole.nll.reshape(3, -1), np.concatenate(parts, axis=1), rtol=1e-4)
    assert model.outcome(stream(text, 0, 3), None)[1] is not None


def test_what_is_set_reaches_the_recurrent_layers() -> None:
    chosen = settings(layers=3, bidirectional=True, engine="loop", character_hidden_size=6, **AROUND_THE_CELLS)
    model = build_model(chosen, {"text": Tokens(8), "letters": Spelling(9)}, data("tag")[0])
    stack, characters = model.stack, model.inputs.embeddings[1].stack
    assert (len(stack.weights), stack.directions, len(stack.initial), set(stack.connections)) == (6, 2, 6, {"1", "2"})
    assert (stack.dropout, stack.choice.name) == (chosen.dropout, "loop")
    assert (characters.cell.settings, characters.choice.name) == (
        chosen.cell.model_copy(update={"hidden_size": 6}),
        "loop",
    )


def test_only_streams_hand_on_a_state() -> None:
    target, dataset = data("tag")
    model = build_model(settings(), FEATURES, target)
    assert model.loss(dataset.batch(np.arange(3)))[2] is None


@pytest.mark.parametrize("width", [5, 4])
def test_tied_weights_are_one_tensor(width: int) -> None:
    model = build_model(settings(embedding_size=width, tied_embeddings=True), {"text": Tokens(8)}, STREAM)
    shapes = [tuple(value.shape) for value in model.state_dict().values()]
    assert shapes.count((8, width)) == 1
    batch = stream(torch.randint(0, 7, (3, 7)), 0, 6)
    with torch.no_grad():
        logits, _ = model.outputs(batch, None)
        model.inputs.embeddings[0].weight[7] += 3  # token 7 is no input here, so only the output layer can tell
        changed, _ = model.outputs(batch, None)
    different = (changed - logits).abs().amax(0) > 1e-3
    assert different.tolist() == [False] * 7 + [True]
    assert sum(weight.numel() for weight in model.parameters()) == model.parameter_count


def test_frozen_vectors_stay_and_are_not_counted() -> None:
    vectors = np.random.default_rng(0).normal(size=(20, 7))
    features: dict[str, Feature] = {"words": Tokens(20, vectors)}
    dataset = Sequences({"words": ragged(ids(20))}, torch.tensor([0, 1, 1, 0, 1]))
    target = Target("class", ("a", "b"), (2, 3))
    frozen, free = (build_model(settings(freeze_vectors=freeze), features, target) for freeze in (True, False))
    assert free.parameter_count - frozen.parameter_count == 20 * 7
    frozen.loss(dataset.batch(np.arange(5)))[0].backward()
    assert frozen.inputs.embeddings[0].weight.grad is None
    np.testing.assert_allclose(frozen.inputs.embeddings[0].weight[1:].numpy(), vectors[1:], rtol=1e-6)


def test_a_silent_net_with_the_last_step_added_repeats_it() -> None:
    inputs = numbers(3)
    dataset = Sequences({"values": ragged(inputs)}, ragged(numbers(2)))
    target = Target("value", ("a", "b"), per_step=True)
    model = build_model(settings(skip="last"), {"values": Values(3, targets=(2, 0))}, target).eval()
    for weight in model.head.parameters():
        nn.init.zeros_(weight)
    outcome, _ = model.outcome(dataset.batch(np.arange(5)))
    np.testing.assert_array_equal(outcome.predicted, inputs[:, [2, 0]].numpy())
