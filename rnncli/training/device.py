"""Where to compute."""

from __future__ import annotations

import torch

from rnncli.errors import UserError, unknown


def choose_device(name: str, mixed_precision: bool) -> torch.device:
    """The device of that name; "auto" is the first GPU, or else the CPU.

    Raises:
        UserError: no such device here, or mixed precision asked of one that has none.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    kind = name.split(":")[0]
    present = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if kind not in present:
        raise UserError("training.device: " + unknown("device", name, ["auto", *present, "cuda:1"]))
    if not present[kind]:
        here = ", ".join(each for each, there in present.items() if there)
        raise UserError(f"training.device: {name!r} is not to be had on this machine; it has {here}")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UserError(f"training.device: {name!r} is no device: {error}") from error
    if kind == "cuda" and device.index is not None and device.index >= torch.cuda.device_count():
        raise UserError(f"training.device: {name!r}; this machine has {torch.cuda.device_count()} GPUs")
    if mixed_precision and not (kind == "cuda" and torch.cuda.is_bf16_supported()):
        raise UserError(f"training.mixed_precision needs a GPU with bfloat16; the device is {name}")
    return device
