"""Options of decoding. Nothing here needs torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from rnncli.config.settings import Settings
from rnncli.errors import UserError

METHODS = {
    "temperature": "sample",
    "top_k": "sample",
    "top_p": "sample",
    "seed": "sample",
    "beam_size": "beam",
    "length_penalty": "beam",
}
"""The method that an option belongs to."""


class DecodingSettings(Settings):
    """How a sequence is written, token by token."""

    method: Literal["greedy", "sample", "beam"] = "greedy"
    """The likeliest token each time, one drawn by its probability, or the best of several sequences that are written
    side by side."""

    temperature: float = Field(1.0, ge=0.001, allow_inf_nan=False)
    """For sample: what the logits are divided by; below 1 likely tokens become likelier, and greedy is its limit."""

    top_k: int | None = Field(None, ge=1)
    """For sample: draw from the so many likeliest tokens alone, after the temperature."""

    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    """For sample: draw from the fewest likeliest tokens alone whose probabilities reach this sum (Holtzman et al.
    2020), after temperature and top_k."""

    seed: int = Field(1, ge=0, lt=2**63)
    """For sample: seed of the draws."""

    beam_size: int = Field(5, ge=1)
    """For beam: sequences kept side by side."""

    length_penalty: float = Field(0.0, ge=0, allow_inf_nan=False)
    """For beam: sequences are compared by log probability / ((5 + tokens) / 6) ** length_penalty, the end counted as a
    token (Wu et al. 2016); 0 compares the probabilities themselves, which favours short ones."""

    n_best: int = Field(1, ge=1)
    """Answers for each input: the best of a beam, or so many draws, the likeliest first."""

    max_length: int = Field(100, ge=1)
    """Tokens after which a sequence is ended."""

    @property
    def greedily(self) -> DecodingSettings:
        """As long sequences, of the likeliest token each time."""
        return DecodingSettings(max_length=self.max_length)

    @model_validator(mode="after")
    def _nothing_idle(self) -> DecodingSettings:
        for name, method in METHODS.items():
            if self.method != method and self.changed(name):
                raise ValueError(f"{name} belongs to method: {method}, and method is {self.method}")
        if self.method == "greedy" and self.n_best > 1:
            raise ValueError("n_best: greedy gives one answer; method: beam or sample gives several")
        if self.method == "beam" and self.n_best > self.beam_size:
            raise ValueError(f"n_best: {self.n_best} answers of a beam of {self.beam_size}; set beam_size as large")
        return self


GREEDY = DecodingSettings()


def overridden(settings: DecodingSettings, given: Mapping[str, Any]) -> DecodingSettings:
    """The settings with some options replaced. An option that belongs to a method brings it along, several answers
    bring a beam where nothing is drawn, and a beam is as wide as the answers are many.

    Raises:
        UserError: options of two methods are given, or what an option can not be.
    """
    methods = dict.fromkeys(METHODS[name] for name in given if name in METHODS)
    if len(methods) > 1:
        told = ", ".join(f"{name} ({METHODS[name]})" for name in given if name in METHODS)
        raise UserError(f"options of several ways of decoding: {told}; give those of one")
    method = next(iter(methods), settings.method)
    if method == "greedy" and given.get("n_best", 1) > 1:
        method = "beam"
    kept = {name: value for name, value in settings.model_dump().items() if METHODS.get(name, method) == method}
    changed: dict[str, Any] = {**kept, **given, "method": method}
    if method == "beam" and "beam_size" not in given:
        changed["beam_size"] = max(changed["beam_size"], changed["n_best"])
    if method == "greedy":
        changed["n_best"] = 1
    try:
        return DecodingSettings.model_validate(changed)
    except ValidationError as bad:
        found = (f"{'.'.join(map(str, one['loc']))} {one['msg'].removeprefix('Value error, ')}" for one in bad.errors())
        raise UserError("; ".join(each.strip() for each in found)) from None
