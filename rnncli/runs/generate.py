"""Text that a language model writes on from a prompt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import torch

from rnncli.decoding.generate import generate
from rnncli.decoding.settings import DecodingSettings, overridden
from rnncli.errors import RunError
from rnncli.inputs.text.loader import TextLoader
from rnncli.models.model import SequenceModel
from rnncli.models.speaker import Speaker
from rnncli.runs.load import LoadedRun

NOTHING: Mapping[str, Any] = MappingProxyType({})
DRAWN = DecodingSettings(method="sample")


def written_on(
    run: LoadedRun, prompt: str, options: Mapping[str, Any] = NOTHING, stops: Sequence[str] = ()
) -> Iterator[str]:
    """The text that follows, piece by piece, as soon as each is drawn.

    Args:
        options: of decoding, in place of the config's, where nothing said means to draw; max_length tokens at most.
        stops: texts after which it ends; they are given too.

    Raises:
        RunError: the run is no language model.
        UserError: the options do not go together, or not with this.
    """
    loader, model = run.loader, run.model
    if not isinstance(loader, TextLoader) or loader.target.kind != "token" or not isinstance(model, SequenceModel):
        raise RunError(
            f"{run.directory.path}: a prompt is for language models (data.loader: text, target.kind: next); this run "
            f"has a target of kind {loader.target.kind}"
        )
    begun = DRAWN if run.decoding.method == "greedy" else run.decoding
    decoding = overridden(begun.model_copy(update={"max_length": run.decoding.max_length}), options)
    model.eval()
    speaker = Speaker(model)
    with torch.inference_mode():
        logits, state = speaker.read(torch.from_numpy(loader.prompt(prompt)).unsqueeze(0).to(run.device))
    tokens = generate(speaker, state, logits, decoding, stop=frozenset(), length=decoding.max_length)
    return _pieces(loader, tokens, tuple(stops))


@torch.inference_mode()  # while a token is made, not while it is looked at
def _pieces(loader: TextLoader, tokens: Iterator[int], stops: tuple[str, ...]) -> Iterator[str]:
    longest, tail = max(map(len, stops), default=0), ""
    for token in tokens:
        piece = loader.spoken(token)
        yield piece
        if stops:
            tail = (tail + piece)[-longest - len(piece) :]
            if any(stop in tail for stop in stops):
                return
