"""Encoders and decoders: what they compute does not depend on padding, on batch mates, or on how it is run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from rnncli.decoding.settings import DecodingSettings
from rnncli.errors import ConfigError
from rnncli.inputs.answered import Answered
from rnncli.inputs.batches import Batch, Ragged
from rnncli.inputs.features import Categories, Feature, Tokens, Values
from rnncli.inputs.targets import Target
from rnncli.models.build import build_model
from rnncli.models.encoder_decoder import EncoderDecoder, cut_notes
from rnncli.models.settings import ModelSettings
from rnncli.models.taught import taught, taught_tokens

NAMES = ("<pad>", "<unk>", *"abcdefg")
READ, WRITTEN = (4, 2, 5, 1), (3, 5, 2, 4)
TARGET = Target("sequence", NAMES, (0, 0, *(1,) * 7), units="character", shared=True)
WAYS: dict[str, dict[str, Any]] = {
    "plain": {},
    "without attention": {"attention": "none"},
    "additive": {"attention": "additive", "attention_size": 3},
    "input feeding": {"input_feeding": True},
    "coverage": {"attention": "additive", "input_feeding": True, "coverage": 0.7},
    "copies": {"copy_words": True},
    "copies step by step": {"copy_words": True, "input_feeding": True, "attention": "additive"},
    "shared embeddings": {"shared_embeddings": True},
    "mean bridge": {"bridge": "mean"},
    "no bridge": {"bridge": "none"},
    "another cell": {"cell": {"type": "gru", "hidden_size": 6}, "layers": 2, "embedding_size": 4},
}


def settings(decoder: dict[str, Any] | None = None, **options: Any) -> ModelSettings:
    chosen = {"cell": {"type": "lstm", "hidden_size": 5}, "embedding_size": 7, "bidirectional": True, **options}
    return ModelSettings.model_validate(chosen | ({} if decoder is None else {"decoder": decoder}))


def ragged(lengths: tuple[int, ...], seed: int) -> Ragged:
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    drawn = np.random.default_rng(seed).integers(2, len(NAMES), offsets[-1])
    return Ragged(torch.from_numpy(drawn), offsets)


def batch() -> Batch:
    words = [("abc"[: 1 + row % 3],) for row in range(4)]
    return Answered({"tokens": ragged(READ, 1)}, ragged(WRITTEN, 2), words).batch(np.arange(4))


def model_of(decoder: dict[str, Any] | None = None, **options: Any) -> EncoderDecoder:
    torch.manual_seed(4)
    model = build_model(settings(decoder, **options), {"tokens": Tokens(len(NAMES))}, TARGET)
    assert isinstance(model, EncoderDecoder)
    with torch.no_grad():  # as drawn, most things are too small to be told apart
        for parameter in model.parameters():
            parameter.mul_(2.0)
    return model.eval()


def one(whole: Batch, row: int) -> Batch:
    """One example by itself, without padding."""
    inputs = {
        name: type(each)(each.values[row : row + 1, : each.lengths[row]].clone(), each.lengths[row : row + 1])
        for name, each in whole.inputs.items()
    }
    assert whole.targets is not None and whole.target_lengths is not None
    length = whole.target_lengths[row : row + 1]
    return replace(whole, inputs=inputs, targets=whole.targets[row : row + 1, : length[0]], target_lengths=length)


def logits(model: EncoderDecoder, given: Batch) -> Tensor:
    with torch.no_grad():
        return model.outputs(given, None)[0]


@pytest.mark.parametrize("way", WAYS)
def test_neither_padding_nor_batch_mates_change_anything(way: str) -> None:
    model, whole = model_of(WAYS[way]), batch()
    junk = {name: each.with_values(torch.where(each.mask, each.values, 3)) for name, each in whole.inputs.items()}
    assert whole.targets is not None and whole.target_lengths is not None
    behind = torch.arange(whole.targets.shape[1]) >= whole.target_lengths.unsqueeze(1)
    spoilt = replace(whole, inputs=junk, targets=whole.targets.masked_fill(behind, 6))
    together = logits(model, whole)
    torch.testing.assert_close(logits(model, spoilt), together)
    alone = torch.cat([logits(model, one(whole, row)) for row in range(4)])
    torch.testing.assert_close(alone, together, atol=2e-6, rtol=1e-5)
    decoding = DecodingSettings(method="beam", beam_size=3, n_best=2, max_length=7)
    for row, several in enumerate(model.decoded(whole, decoding)):
        by_itself = model.decoded(one(whole, row), decoding)[0]
        assert [answer.tokens for answer in several] == [answer.tokens for answer in by_itself]
        assert [answer.score for answer in several] == pytest.approx([answer.score for answer in by_itself], abs=1e-5)


@pytest.mark.parametrize("way", WAYS)
def test_teacher_forcing_is_decoding_the_same_tokens_step_by_step(way: str) -> None:
    model, whole = model_of(WAYS[way]), batch()
    expected = iter(logits(model, whole))
    assert whole.targets is not None and whole.target_lengths is not None
    for row in range(4):
        single = one(whole, row)
        with torch.no_grad():
            state, token = model.begin(single), torch.zeros(1, dtype=torch.int64)
            for target in [*single.targets[0], None]:  # type: ignore[index]
                said, state = model.writer.logits(token, state)
                wanted = next(expected)
                torch.testing.assert_close(said[0].log_softmax(0), wanted.log_softmax(0), atol=5e-6, rtol=1e-5)
                token = token if target is None else target.unsqueeze(0)
    assert next(expected, None) is None


@pytest.mark.parametrize("way", WAYS)
def test_greedy_scores_are_the_likelihoods_under_teacher_forcing(way: str) -> None:
    model, whole = model_of(WAYS[way]), batch()
    answers = [several[0] for several in model.decoded(whole, DecodingSettings(max_length=6))]
    lesson = taught_tokens([answer.tokens for answer in answers], torch.device("cpu"))
    with torch.no_grad():
        said, _ = model.writer.taught(model.begin(whole), lesson, 0.0, None)
    said = said.log_softmax(1)
    first = 0
    for answer in answers:
        tokens = answer.tokens + ([0] if len(answer.tokens) < 6 else [])
        total = sum(float(said[first + step, token]) for step, token in enumerate(tokens))
        if not any(token == 1 for token in tokens):
            assert answer.score == pytest.approx(total, abs=1e-4)
        first += len(answer.tokens) + 1


@pytest.mark.parametrize("way", WAYS)
def test_every_parameter_is_trained_and_comes_back(way: str) -> None:
    model, whole = model_of(WAYS[way]).train(), batch()
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    before = float(model.loss(whole)[0].detach())
    for _ in range(25):
        optimizer.zero_grad()
        loss, items, _ = model.loss(whole)
        loss.backward()
        optimizer.step()
    assert items == sum(WRITTEN) + 4
    assert [name for name, each in model.named_parameters() if each.grad is None or not each.grad.any()] == []
    after = float(model.eval().loss(whole)[0].detach())
    assert after < 0.8 * before
    again = model_of(WAYS[way])
    assert float(again.loss(whole)[0].detach()) != after
    again.load_state_dict(model.state_dict())
    assert float(again.loss(whole)[0].detach()) == after


@pytest.mark.parametrize("shared", [False, True])
def test_a_tied_decoder_can_say_when_to_end(shared: bool) -> None:
    """The end has a vector like all others: else its logit would be the same at every step."""
    model, whole = model_of({"shared_embeddings": shared}, tied_embeddings=True), batch()
    with torch.no_grad():
        hidden = logits(model, whole)[:, 0]
    assert hidden.std() > 1e-3
    assert len([name for name in model.state_dict() if name.endswith("embedding.weight") or "embeddings" in name]) == (
        1 if shared else 2
    )


@pytest.mark.parametrize("kind", ["additive", "multiplicative"])
def test_attention_is_the_formula(kind: str) -> None:
    model, whole = model_of({"attention": kind}), batch()
    read, _ = model.reader(whole)
    lesson = taught(whole.targets, whole.target_lengths)  # type: ignore[arg-type]
    begun = model.begin(whole)
    with torch.no_grad():
        hidden, _ = model.writer.stack(model.writer._embedded(lesson.inputs["previous"]), begun.layers)
    assert whole.targets is not None
    shown = model.attention(whole, [whole.targets[row, :steps].tolist() for row, steps in enumerate(WRITTEN)])
    weigh = model.writer.looking.attention
    for row, (length, steps) in enumerate(zip(READ, WRITTEN, strict=True)):
        for step in range(steps + 1):
            h, scores = hidden.values[row, step], []
            for position in range(length):
                m = read.values[row, position]
                if kind == "multiplicative":
                    scores.append((h @ (weigh.of_memory.weight @ m)).item())
                else:
                    inner = weigh.of_query.weight @ h + weigh.of_memory.weight @ m + weigh.of_memory.bias
                    scores.append((weigh.vector.weight[0] @ inner.tanh()).item())
            expected = torch.tensor(scores).softmax(0)
            assert shown is not None
            np.testing.assert_allclose(shown[row][step], expected.numpy(), atol=1e-5)


def test_both_directions_reach_the_decoder() -> None:
    """The first state depends on the last token through the forward direction, on the first through the backward."""
    model, whole = model_of({"attention": "none"}), one(batch(), 0)
    before = model.begin(whole).layers
    for position, half in ((0, 0), (-1, 1)):
        changed = whole.inputs["tokens"].values.clone()
        changed[0, position] = changed[0, position] % 7 + 2
        other = replace(whole, inputs={"tokens": whole.inputs["tokens"].with_values(changed)})
        summary = model.reader(whole)[1] - model.reader(other)[1]
        assert summary.view(2, -1)[half].abs().max() > 1e-4
        after = model.begin(other).layers
        assert before is not None and after is not None
        assert (before[0][0] - after[0][0]).abs().max() > 1e-4


def test_a_decoder_that_nothing_would_reach_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing of what was read"):
        settings({"attention": "none", "bridge": "none"})


def test_targets_that_no_answer_reaches_are_told() -> None:
    model, data = model_of(), Answered({"tokens": ragged(READ, 1)}, ragged(WRITTEN, 2))
    parts = {"train": data, "valid": data, "test": Answered({"tokens": ragged(READ, 1)}, None)}.items()
    assert cut_notes(model, DecodingSettings(max_length=3), parts) == [
        "2 of 4 targets of valid have more tokens than decoding.max_length (3), after which an answer ends; "
        "the longest has 5"
    ]
    assert cut_notes(model, DecodingSettings(max_length=5), parts) == []


ONE: dict[str, tuple[dict[str, Feature], Tensor]] = {
    "class": ({"class": Categories(6)}, torch.tensor([[2], [3], [5], [2]])),
    "values": ({"values": Values(3)}, torch.randn(4, 1, 3, generator=torch.Generator().manual_seed(3))),
}


@pytest.mark.parametrize("kind", ONE)
def test_one_to_many(kind: str) -> None:
    features, values = ONE[kind]
    torch.manual_seed(2)
    model = build_model(settings(bidirectional=False), features, replace(TARGET, from_one=True, shared=False)).eval()
    assert isinstance(model, EncoderDecoder)
    rows = Answered({kind: Ragged(values.flatten(0, 1), np.arange(5))}, ragged(WRITTEN, 2), [("x",)] * 4)
    whole, optimizer = rows.batch(np.arange(4)), torch.optim.Adam(model.parameters(), 0.03)
    for _ in range(150):
        optimizer.zero_grad()
        model.loss(whole)[0].backward()
        optimizer.step()
    first, *_, last = (several[0].tokens for several in model.decoded(whole, DecodingSettings()))
    targets = whole.targets
    assert targets is not None
    if kind == "values":
        assert first == targets[0, : WRITTEN[0]].tolist() and last == targets[3, : WRITTEN[3]].tolist()
    else:
        assert first == last  # of the same class


REFUSED = [
    ({"shared_embeddings": True}, {}, {"shared": False}, "model.decoder.shared_embeddings"),
    ({"copy_words": True}, {}, {"shared": False}, "model.decoder.copy_words"),
    ({"input_feeding": True}, {"dropout": {"variational": 0.2}}, {}, "model.dropout.variational"),
    ({}, {"bidirectional": True}, {"from_one": True}, "model.bidirectional"),
    ({"layers": 2}, {"bidirectional": False}, {"from_one": True}, "model.decoder.layers"),
    ({}, {"pooling": "mean"}, {}, "model.pooling"),
    ({}, {"head": {"type": "classes", "weights": "balanced"}}, {}, "model.head.weights"),
    ({}, {"patch": 2}, {}, "model.patch"),
]


@pytest.mark.parametrize(("decoder", "options", "target", "key"), REFUSED)
def test_what_would_do_nothing_is_refused(
    decoder: dict[str, Any], options: dict[str, Any], target: dict[str, Any], key: str
) -> None:
    with pytest.raises(ConfigError, match=key):
        build_model(settings(decoder, **options), {"tokens": Tokens(len(NAMES))}, replace(TARGET, **target))
