"""What an option would not do is refused, with its key and the reason."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from rnncli.errors import ConfigError, UserError
from rnncli.heads.build import HEADS
from rnncli.heads.settings import HEAD_SETTINGS
from rnncli.inputs.features import Categories, Feature, Spelling, Tokens, Values
from rnncli.inputs.targets import Target
from rnncli.models.build import build_model
from rnncli.models.settings import ModelSettings

from .data import settings

WORDS: dict[str, Feature] = {"words": Tokens(9)}
PRETRAINED: dict[str, Feature] = {"words": Tokens(9, np.ones((9, 3)))}
NUMBERS: dict[str, Feature] = {"values": Values(3, (0, 1))}
CLASS = Target("class", ("a", "b"), (1, 1))
TAG = Target("tag", ("a", "b"), (1, 1), per_step=True)
SPANS = Target("tag", ("O", "B-X", "I-X"), (1, 1, 1), per_step=True, scheme="BIO")
TOKEN = Target("token", tuple("abcdefghi"), (1,) * 9, per_step=True)
FRAME = Target("frame", ("a", "b"), (1, 1), per_step=True)
NEXT = Target("value", ("a", "b"), per_step=True)
FORECAST = Target("forecast", ("a", "b"), horizon=4, season=7)


def cell(name: str, **options: object) -> dict[str, object]:
    return {"type": name, "hidden_size": 5, **options}


REFUSED = [
    ({"connections": "residual"}, WORDS, CLASS, None, "model.connections", "another size (64) than its output (5)"),
    (
        {"cell": cell("mut2"), "character_hidden_size": 3},
        {"w": Spelling(9)},
        TAG,
        None,
        "model.character_hidden_size",
        "model.character_embedding_size (25), not 3",
    ),
    ({"cell": cell("mut1")}, WORDS, CLASS, None, "model.cell.hidden_size", "model.cell.project: true"),
    ({"pooling": "mean"}, WORDS, TAG, None, "model.pooling", "not pooled"),
    ({"patch": 2}, WORDS, CLASS, None, "model.patch", "only forecasts"),
    ({"shared": True}, NUMBERS, CLASS, None, "model.shared", "only forecasts"),
    ({"skip": "linear"}, NUMBERS, CLASS, None, "model.skip", "only forecasts"),
    ({"window_normalization": "revin"}, NUMBERS, CLASS, None, "model.window_normalization", "only forecasts"),
    ({"embedding_size": 8}, NUMBERS, CLASS, None, "model.embedding_size", "no tokens"),
    ({"tied_embeddings": True}, NUMBERS, CLASS, None, "model.tied_embeddings", "no tokens"),
    ({"tied_embeddings": True}, WORDS, CLASS, None, "model.tied_embeddings", "next token"),
    ({"embedding_size": 8}, PRETRAINED, CLASS, None, "model.embedding_size", "8, but the pretrained vectors have 3"),
    ({"freeze_vectors": True}, WORDS, CLASS, None, "model.freeze_vectors", "data.vectors"),
    ({"category_embedding_size": 3}, WORDS, CLASS, None, "model.category_embedding_size", "no categories"),
    ({"character_embedding_size": 3}, WORDS, TAG, None, "model.character_embedding_size", "no characters"),
    ({"character_hidden_size": 3}, WORDS, TAG, None, "model.character_hidden_size", "no characters"),
    ({"dropout": {"word": 0.1}}, NUMBERS, CLASS, None, "model.dropout.word", "no tokens"),
    ({"dropout": {"embedding": 0.1}}, NUMBERS, CLASS, None, "model.dropout.embedding", "nothing of them is embedded"),
    ({"input_noise": 0.1}, WORDS, CLASS, None, "model.input_noise", "no numbers"),
    ({"bidirectional": True}, WORDS, TOKEN, None, "model.bidirectional", "would have read"),
    ({"bidirectional": True}, NUMBERS, FRAME, None, "model.bidirectional", "would have read"),
    ({"bidirectional": True}, NUMBERS, NEXT, None, "model.bidirectional", "would have read"),
    ({"head": {"type": "values"}}, WORDS, CLASS, None, "model.head.type", "allowed: classes, crf"),
    ({"head": {"type": "crf"}}, NUMBERS, NEXT, None, "model.head.type", "allowed: values"),
    ({"head": {"type": "crf"}}, WORDS, CLASS, None, "model.head.type", "one class"),
    ({"head": {"type": "crf", "constrain": True}}, WORDS, TAG, None, "model.head.constrain", "no scheme"),
    ({"head": {"type": "classes", "weights": {"aa": 2.0}}}, WORDS, CLASS, None, "model.head.weights", "'aa'"),
    ({"shared": True}, NUMBERS, Target("forecast", ("a",)), 8, "model.shared", "only one variable"),
    ({"patch": 3}, NUMBERS, FORECAST, 8, "model.patch", "2 patches of 3 and 2 steps more; data.context 6 or 9"),
    ({"patch": 9}, NUMBERS, FORECAST, 8, "model.patch", "data.context 9 would fit"),
    ({"skip": "seasonal"}, NUMBERS, FORECAST, 6, "model.skip", "6 steps of context; a season has 7"),
    ({"skip": "seasonal"}, NUMBERS, Target("forecast", ("a", "b")), 6, "model.skip", "no season"),
    ({"skip": "last"}, NUMBERS, FORECAST, 8, "model.skip", "window_normalization: last"),
    ({"skip": "last"}, NUMBERS, CLASS, None, "model.skip", "only the numbers of the next step"),
    ({"skip": "last"}, {"values": Values(3)}, NEXT, None, "model.skip", "only the numbers of the next step"),
]


@pytest.mark.parametrize(("options", "features", "target", "context", "key", "reason"), REFUSED)
def test_refused(
    options: dict, features: dict[str, Feature], target: Target, context: int | None, key: str, reason: str
) -> None:
    with pytest.raises(ConfigError) as refusal:
        build_model(settings(**options), features, target, context=context)
    fitting = [text for text in refusal.value.mistakes if text.startswith(f"{key}: ") and reason in text]
    assert len(fitting) == 1, refusal.value.mistakes


ALLOWED = [
    ({"dropout": {"weight": 0.1, "recurrent": 0.1, "zoneout": 0.1, "zoneout_memory": 0.1}}, WORDS, CLASS, None),
    ({"dropout": {"zoneout": 0.1, "variational": 0.1}, "cell": cell("min_gru")}, WORDS, CLASS, None),
    ({"cell": cell("mut1", project=True)}, WORDS, CLASS, None),
    ({"connections": "highway", "embedding_size": 5, "learned_initial_state": True}, WORDS, CLASS, None),
    ({}, WORDS, CLASS, None),
    ({"bidirectional": True, "head": {"type": "crf", "constrain": True}}, WORDS, SPANS, None),
    ({"tied_embeddings": True, "embedding_size": 3}, WORDS, TOKEN, None),
    ({"bidirectional": True}, {"values": Values(3)}, NEXT, None),
    ({"freeze_vectors": True, "embedding_size": 3}, PRETRAINED, CLASS, None),
    ({"character_hidden_size": 3, "dropout": {"word": 0.1}}, {"w": Spelling(9)}, TAG, None),
    ({"category_embedding_size": 3, "dropout": {"embedding": 0.1}}, {"c": Categories(9)}, CLASS, None),
    ({"skip": "last"}, NUMBERS, NEXT, None),
    ({"initialization": "orthogonal", "input_noise": 0.1}, NUMBERS, NEXT, None),
    ({"bidirectional": True, "patch": 4, "skip": "seasonal", "shared": True}, NUMBERS, FORECAST, 8),
]


@pytest.mark.parametrize(("options", "features", "target", "context"), ALLOWED)
def test_allowed_also_with_all_defaults_written_out(
    options: dict, features: dict[str, Feature], target: Target, context: int | None
) -> None:
    filled = ModelSettings.model_validate(settings(**options).model_dump())
    assert filled == settings(**options)
    build_model(filled, features, target, context=context)


def test_all_mistakes_come_at_once() -> None:
    with pytest.raises(ConfigError) as refusal:
        build_model(settings(patch=2, pooling="max", bidirectional=True, head={"type": "labels"}), WORDS, TOKEN)
    assert len(refusal.value.mistakes) == 4


def test_the_engine_that_can_not_is_refused() -> None:
    with pytest.raises(UserError, match="no kernel for rnn with activation: identity"):
        build_model(
            settings(cell={"type": "rnn", "hidden_size": 3, "activation": "identity"}, engine="torch"), WORDS, CLASS
        )


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"dropout": {"between_layers": 0.2}}, "does nothing with one layer"),
        ({"dropout": {"zoneout_memory": 0.1}, "cell": cell("gru")}, "dropout.zoneout_memory .*: gru has no memory c"),
        ({"dropout": {"weight": 0.1}, "cell": cell("min_gru")}, "dropout.weight .*: min_gru has no recurrent matrix"),
        ({"dropout": {"recurrent": 0.1}, "cell": cell("indrnn")}, "dropout.recurrent .*: indrnn has no recurrent"),
        ({"cell": cell("lstm", project=True)}, "cell.project does nothing: lstm"),
        ({"pooling": ["mean", "mean"]}, "names a way twice"),
        ({"pooling": []}, "at least 1"),
        ({"initialization": 0.1}, "initialization"),
        ({"initialization": {"type": "constant", "value": 0.1}}, "'constant'"),
        ({"initialization": {"type": "chrono", "longest": 9.0}}, "'chrono'"),
        ({"input_noise": -0.1}, "greater than or equal to 0"),
        ({"layers": 0}, "greater than or equal to 1"),
        ({"head": {"type": "values", "delta": 0.5}}, "delta belongs to loss: huber"),
        ({"head": {"type": "values", "levels": [0.5]}}, "levels belong to loss: quantiles"),
        ({"head": {"type": "values", "loss": "quantiles", "levels": [0.5, 0.1]}}, "must ascend"),
        ({"head": {"type": "classes", "weights": {"a": 0.0}}}, "greater than 0"),
    ],
)
def test_settings_refuse_by_themselves(options: dict, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        settings(**options)


@pytest.mark.parametrize("name", list(HEAD_SETTINGS))
def test_every_head_has_its_settings(name: str) -> None:
    assert HEADS[name].settings_type is HEAD_SETTINGS[name]
    assert set(HEADS) == set(HEAD_SETTINGS)
