"""From settings to a head."""

from __future__ import annotations

from typing import Any

from torch import nn

from rnncli.heads import crf, ctc, labels, values  # noqa: F401  (registers them)
from rnncli.heads.classes import Classes
from rnncli.heads.head import HEADS, Head
from rnncli.heads.settings import ClassesSettings, HeadSettings
from rnncli.inputs.targets import Target


def build_head(settings: HeadSettings, features: int, target: Target, tied: nn.Parameter | None = None) -> Head[Any]:
    """The head that the settings describe.

    Args:
        features: width of what it reads.
        tied: for classes, an embedding to share.
    """
    if isinstance(settings, ClassesSettings):
        return Classes(settings, features, target, tied)
    return HEADS[settings.type](settings, features, target)
