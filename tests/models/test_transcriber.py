"""A model under CTC: padding, steps that are read several times, targets that do not fit, learning."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from rnncli.decoding.settings import DecodingSettings
from rnncli.engines.choice import refusal_here
from rnncli.engines.engine import ENGINES
from rnncli.errors import ConfigError
from rnncli.heads.choice import decoding_mistakes
from rnncli.heads.settings import CTCSettings
from rnncli.inputs.answered import Answered
from rnncli.inputs.batches import Batch, Ragged
from rnncli.inputs.features import Categories, Feature, Tokens, Values
from rnncli.inputs.targets import Target
from rnncli.models.build import build_model
from rnncli.models.model import Model
from rnncli.models.transcriber import Transcriber, fitting_notes, missing
from rnncli.sequences import Padded

from .data import ids, numbers, ragged, settings

TARGET = Target("sequence", ("<blank>", "<unk>", "a", "b", "c"), units="character")
FEATURES: dict[str, Feature] = {"words": Tokens(20), "day": Categories(4), "values": Values(3)}
ANSWERS = [[2, 3], [4, 4], [2, 2, 3], [4], [3, 3, 3]]
"""With LENGTHS 3, 1, 6, 4 and 2 the second and the last do not fit."""


def sequences(rows: list[list[int]]) -> Ragged:
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    return Ragged(torch.tensor([number for row in rows for number in row]), offsets)


def answered(inputs: dict[str, Ragged], answers: list[list[int]]) -> Answered:
    return Answered(inputs, sequences(answers), [(TARGET.text(each), "or so") for each in answers])


def data() -> Answered:
    return answered({"words": ragged(ids(20)), "day": ragged(ids(4)), "values": ragged(numbers(3))}, ANSWERS)


def model_of(features: dict[str, Feature] = FEATURES, target: Target = TARGET, **options: Any) -> Model:
    return build_model(settings(head={"type": "ctc"}, **options), features, target)


def junk(batch: Batch) -> Batch:
    """The same with other things at padding."""
    inputs = {}
    for name, each in batch.inputs.items():
        mask = each.mask.reshape(each.mask.shape + (1,) * (each.values.dim() - 2))
        inputs[name] = each.with_values(torch.where(mask, each.values, 1000 if name == "values" else 1))
    valid = torch.arange(batch.targets.shape[1]) < batch.target_lengths.unsqueeze(1)
    return replace(batch, inputs=inputs, targets=torch.where(valid, batch.targets, 99))


def gradients(model: Model, batch: Batch, bptt_steps: int | None = None) -> tuple[Tensor, int, list[Tensor]]:
    """The loss, its items, and the gradient of each parameter."""
    loss, items, state = model.loss(batch, None, bptt_steps)
    assert state is None
    return loss.detach(), items, list(torch.autograd.grad(loss, list(model.parameters()), materialize_grads=True))


@pytest.mark.parametrize("upsample", [1, 3])
def test_row_alone_is_row_in_batch_whatever_the_padding_holds(upsample: int) -> None:
    dataset = data()
    model = model_of(layers=2, bidirectional=True, learned_initial_state=True, upsample=upsample).eval()
    batch = dataset.batch(np.arange(5))
    loss, items, together = gradients(model, junk(batch))
    outcome, _ = model.outcome(junk(batch))
    alone = [gradients(model, dataset.batch(np.array([row]))) for row in range(5)]
    fitting = [1, 0, 1, 1, 0] if upsample == 1 else [1] * 5
    assert [count for _, count, _ in alone] == fitting and items == sum(fitting)
    torch.testing.assert_close(loss, sum(each for each, _, _ in alone) / items)
    for number, gradient in enumerate(together):
        expected = sum(row[number] for _, _, row in alone) / items
        torch.testing.assert_close(gradient, expected, rtol=1e-4, atol=1e-6)
    said = [model.outcome(dataset.batch(np.array([row])))[0] for row in range(5)]
    assert outcome.predicted.tolist() == [each.predicted[0] for each in said]
    assert outcome.target.tolist() == dataset.references
    np.testing.assert_allclose(outcome.nll, np.concatenate([each.nll for each in said]), rtol=1e-4)
    assert outcome.nll.mean() == pytest.approx(float(loss), rel=1e-5)


def test_upsampling_is_repeating_by_hand() -> None:
    dataset = data()
    repeated = {}
    for name, each in dataset.inputs.items():
        assert isinstance(each, Ragged)
        repeated[name] = Ragged(each.flat.repeat_interleave(3, 0), each.offsets * 3)
    by_hand = answered(repeated, ANSWERS)
    model, plain = model_of(bidirectional=True, upsample=3), model_of(bidirectional=True)
    plain.load_state_dict(model.state_dict())
    found, expected = (gradients(model, dataset.batch(np.arange(5))), gradients(plain, by_hand.batch(np.arange(5))))
    torch.testing.assert_close(found, expected)
    said, wanted = (each.outcome(of.batch(np.arange(5)))[0] for each, of in ((model, dataset), (plain, by_hand)))
    np.testing.assert_array_equal(said.predicted, wanted.predicted)


def test_gradients_go_back_no_further_than_asked() -> None:
    model, dataset = model_of(upsample=2), data()
    batch = dataset.batch(np.arange(5))
    loss, _, cut = gradients(model, batch, bptt_steps=4)
    inputs = model.inputs(batch)
    by_time = inputs.values.transpose(0, 1).repeat_interleave(2, 0)
    read, _ = model.stack(Padded(by_time.transpose(0, 1), inputs.lengths * 2), bptt_steps=4)
    by_hand, _ = model.head.loss(model.head(read.values, read), batch)
    expected = torch.autograd.grad(by_hand, list(model.parameters()), materialize_grads=True)
    torch.testing.assert_close(cut, list(expected))
    whole_loss, _, whole = gradients(model, batch)
    torch.testing.assert_close(loss, whole_loss)
    assert not torch.allclose(cut[-3], whole[-3], rtol=1e-3)


def test_the_output_dropout_is_there_while_training() -> None:
    model, batch = model_of(dropout={"output": 0.5}), data().batch(np.arange(5))
    losses = {float(model.loss(batch)[0].detach()) for _ in range(4)}
    assert len(losses) == 4
    model.eval()
    assert len({float(model.loss(batch)[0].detach()) for _ in range(4)}) == 1


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_engines_agree(cell: str) -> None:
    options: dict[str, Any] = {"cell": {"type": cell, "hidden_size": 5}, "bidirectional": True, "upsample": 2}
    batch, reference = data().batch(np.arange(5)), model_of(**options, engine="loop")
    expected = gradients(reference, batch)
    assert isinstance(reference, Transcriber)
    for name, engine in ENGINES.items():
        if refusal_here(engine(), reference.stack.cell, reference.stack.wanted) is None:
            model = model_of(**options, engine=name)
            model.load_state_dict(reference.state_dict())
            torch.testing.assert_close(gradients(model, batch), expected, rtol=1e-4, atol=1e-6, msg=name)


def test_in_bfloat16_the_loss_is_about_the_same() -> None:
    """Its sums over alignments are made in float32."""
    model, batch = model_of(upsample=3, bidirectional=True), data().batch(np.arange(5))
    expected = float(model.loss(batch)[0].detach())
    with torch.autocast("cpu", torch.bfloat16):
        loss, _, _ = model.loss(batch)
    loss.backward()
    assert loss.dtype == torch.float32
    assert float(loss.detach()) == pytest.approx(expected, rel=0.005)
    assert all(each.grad is not None and bool(each.grad.isfinite().all()) for each in model.parameters())


def spoken(rows: int, seed: int) -> Answered:
    """Letters among steps that say nothing; the target is the letters, alike ones included."""
    draw = np.random.default_rng(seed)
    inputs = [[*draw.choice([2, 2, 3, 4, 5], size=draw.integers(6, 11)).tolist(), 3] for _ in range(rows)]
    return answered({"heard": sequences(inputs)}, [[number - 1 for number in row if number > 2] for row in inputs])


def test_it_learns_what_is_not_aligned() -> None:
    train, test = spoken(256, seed=1), spoken(200, seed=2)
    options = {"cell": {"type": "gru", "hidden_size": 24}, "embedding_size": 8, "upsample": 2}
    model = model_of({"heard": Tokens(6)}, **options)
    optimizer = torch.optim.Adam(model.parameters(), 0.02)
    for epoch in range(24):
        for rows in train.plan(32, np.random.default_rng(epoch)):
            optimizer.zero_grad()
            model.loss(train.batch(rows))[0].backward()
            optimizer.step()
    outcome, _ = model.eval().outcome(test.batch(np.arange(200)))
    wrong = sum(said != truth[0] for said, truth in zip(outcome.predicted, outcome.target, strict=True))
    assert wrong == 0


def test_targets_that_do_not_fit_are_counted_with_what_would_help() -> None:
    draw = np.random.default_rng(5)
    answers = [draw.integers(2, 4, draw.integers(1, 9)).tolist() for _ in range(300)]
    inputs = sequences([[2] * int(draw.integers(1, 6)) for _ in answers])
    many = answered({"words": inputs}, answers)
    for upsample in (1, 2):
        for row, least in enumerate(missing(many, upsample)):
            needed = sum(2 * len(list(run)) - 1 for _, run in groupby(answers[row]))
            factor = next(times for times in range(1, 99) if inputs.lengths[row] * times >= needed)
            assert least == (factor if factor > upsample else 0)
    assert not missing(Answered({"words": inputs}, None), 1).any()


def test_notes_of_what_does_not_fit() -> None:
    model, dataset, fitting = model_of(), data(), answered({"words": ragged(ids(20))}, [[2]] * 5)
    assert fitting_notes(model, {"train": dataset, "valid": fitting, "test": dataset}.items()) == [
        "2 of 5 targets of train are longer than their inputs can hold under CTC: they teach nothing; "
        "model.upsample: 3 would let them fit (row 2 'cc', row 5 'bbb')",
        "2 of 5 targets of test are longer than their inputs can hold under CTC: nll leaves them out; "
        "model.upsample: 3 would let them fit (row 2 'cc', row 5 'bbb')",
    ]
    assert fitting_notes(model_of(upsample=3), [("train", dataset)]) == []
    one = sequences([[2]] * 13)
    most = answered({"words": one}, [[2]] + [[2, 3]] * 11 + [[2, 2, 2]])
    first = ", ".join(f"row {row} 'ab'" for row in range(2, 12))
    assert fitting_notes(model, [("train", most)]) == [
        "12 of 13 targets of train are longer than their inputs can hold under CTC: they teach nothing; "
        f"model.upsample: 2 would let 11 of them fit, 5 all ({first}, ...)"
    ]
    none = answered({"words": ragged(ids(20))}, [[2] * 9] * 5)
    with pytest.raises(ConfigError, match=r"no input of valid has enough; model\.upsample: 3 would let 1 of") as bad:
        fitting_notes(model, [("train", none), ("valid", none), ("test", none)])
    assert len(bad.value.mistakes) == 2
    assert len(fitting_notes(model, [("test", none)])) == 1
    other = build_model(settings(), {"words": Tokens(20)}, Target("class", ("a", "b"), (2, 3)))
    assert fitting_notes(other, [("train", none)]) == []


def test_a_batch_that_can_not_teach_changes_no_weight() -> None:
    model, batch = model_of(), data().batch(np.array([1, 4]))
    loss, items, found = gradients(model, batch)
    assert (loss, items) == (0, 0) and not any(gradient.any() for gradient in found)


CTC = {"head": {"type": "ctc"}}
CLASS = Target("class", ("a", "b"), (1, 1))
REFUSED = [
    ({**CTC, "decoder": {}}, TARGET, "model.decoder", "ctc writes without one"),
    ({**CTC, "pooling": "mean"}, TARGET, "model.pooling", "not pooled"),
    (CTC, replace(TARGET, from_one=True), "model.head.type", "these inputs have one step"),
    (CTC, CLASS, "model.head.type", "allowed: classes, crf"),
    ({**CTC, "tied_embeddings": True}, TARGET, "model.tied_embeddings", "other tokens"),
    ({**CTC, "skip": "last"}, TARGET, "model.skip", "only"),
    ({"upsample": 2}, TARGET, "model.upsample", "model.head.type: ctc"),
    ({"upsample": 2}, CLASS, "model.upsample", "model.head.type: ctc"),
    ({"decoder": {}}, CLASS, "model.decoder", "this target is of kind class"),
]


@pytest.mark.parametrize(("options", "target", "key", "reason"), REFUSED)
def test_refused(options: dict[str, Any], target: Target, key: str, reason: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        build_model(settings(**options), {"words": Tokens(20)}, target)
    fitting = [text for text in refusal.value.mistakes if text.startswith(f"{key}: ") and reason in text]
    assert len(fitting) == 1, refusal.value.mistakes


SEARCH = {"method": "beam", "beam_size": 3, "n_best": 2}
DECODED = [
    ({}, CLASS, None, []),
    (SEARCH, CLASS, None, ["decoding"]),
    (SEARCH, TARGET, CTCSettings(type="ctc"), []),
    ({"method": "sample", "top_k": 4}, TARGET, CTCSettings(type="ctc"), ["decoding.method"]),
    (
        {**SEARCH, "length_penalty": 1.0, "max_length": 9},
        TARGET,
        CTCSettings(type="ctc"),
        ["decoding.length_penalty", "decoding.max_length"],
    ),
    ({"method": "sample", "max_length": 9}, TARGET, None, []),
    ({"method": "sample"}, Target("token", ("a", "b"), per_step=True), None, []),
]


@pytest.mark.parametrize(("options", "target", "head", "keys"), DECODED)
def test_decoding_that_can_not_be(options: dict, target: Target, head: CTCSettings | None, keys: list[str]) -> None:
    mistakes = decoding_mistakes(DecodingSettings.model_validate(options), head, target)
    assert [mistake.partition(":")[0] for mistake in mistakes] == keys
