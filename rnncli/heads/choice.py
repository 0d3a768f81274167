"""Which head a target gets, and which options of it would do nothing. Nothing here needs torch."""

from __future__ import annotations

from rnncli.errors import unknown
from rnncli.heads.settings import (
    HEAD_SETTINGS,
    ClassesSettings,
    CRFSettings,
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
    if isinstance(settings, ClassesSettings) and isinstance(settings.weights, dict):
        mistakes += [
            f"model.head.weights: {unknown('class', name, target.names)}"
            for name in settings.weights
            if name not in target.names
        ]
    return mistakes
