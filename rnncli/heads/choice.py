"""Which head a target gets, and which options of it and of decoding would do nothing. Nothing here needs torch."""

from __future__ import annotations

from rnncli.decoding.settings import GREEDY, DecodingSettings
from rnncli.errors import unknown
from rnncli.heads.settings import (
    HEAD_SETTINGS,
    ClassesSettings,
    CRFSettings,
    CTCSettings,
    HeadSettings,
    LabelsSettings,
    ValuesSettings,
)
from rnncli.inputs.targets import Target


def default_head(target: Target) -> HeadSettings:
    """The head that a target gets when the config names none."""
    if target.kind in ClassesSettings.kinds:
        return ClassesSettings(type="classes")
    if target.kind in LabelsSettings.kinds:
        return LabelsSettings(type="labels")
    return ValuesSettings(type="values")


def head_mistakes(settings: HeadSettings, target: Target) -> list[str]:
    """A sentence for each option that can't serve this target."""
    if target.kind not in settings.kinds:
        fitting = [name for name, other in HEAD_SETTINGS.items() if target.kind in other.kinds]
        return [
            f"model.head.type: {settings.type} can't predict a target of kind {target.kind}; "
            f"allowed: {', '.join(fitting)}"
        ]
    mistakes = []
    if isinstance(settings, CRFSettings):
        if not target.per_step:
            mistakes.append("model.head.type: crf chooses classes of many steps together; this target has one class")
        if target.partial:
            mistakes.append("model.head.type: crf needs a class at every step; some steps of this target ask for none")
        if settings.constrain and target.scheme is None:
            mistakes.append("model.head.constrain: the target's tags follow no scheme (BIO, BIOES) to hold them to")
    if isinstance(settings, CTCSettings) and target.from_one:
        mistakes.append(
            "model.head.type: ctc reads at least a step for each token that it writes, and these inputs have one step; "
            "model.decoder writes from one"
        )
    if isinstance(settings, ClassesSettings) and settings.weights == "balanced" and target.kind == "sequence":
        mistakes.append(
            "model.head.weights: balanced goes by how often the training part has each token, and the end that a "
            "decoder writes is not counted; give weights by name"
        )
    if isinstance(settings, ClassesSettings) and isinstance(settings.weights, dict):
        mistakes += [
            f"model.head.weights: {unknown('class', name, target.names)}"
            for name in settings.weights
            if name not in target.names
        ]
    return mistakes


def decoding_mistakes(decoding: DecodingSettings, head: HeadSettings | None, target: Target) -> list[str]:
    """A sentence for each option of decoding that can't serve this target or head.

    Args:
        head: as the config names it; None where it names none.
    """
    if target.kind not in ("sequence", "token"):
        idle = f"decoding: nothing is written token by token; this target is of kind {target.kind}"
        return [] if decoding == GREEDY else [idle]
    if not isinstance(head, CTCSettings):
        return []
    if decoding.method == "sample":
        return [
            "decoding.method: sample draws one token after another, and under ctc none depends on the one before; "
            "allowed: greedy, beam"
        ]
    return [f"decoding.{name}: {reason}" for name, reason in _IDLE_UNDER_CTC.items() if decoding.changed(name)]


_IDLE_UNDER_CTC = {
    "length_penalty": "ctc's beam compares the probabilities of whole texts, each summed over all its alignments",
    "max_length": "under ctc the inputs end what is written: it has no more tokens than they have steps",
}
"""Why options of decoding do nothing there."""
