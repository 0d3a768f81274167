"""What is handed over to the C code of a layer, in one structure."""

from __future__ import annotations

import ctypes

_NUMBERS = ("batch", "time", "input", "hidden", "padded", "input_padded", "threads", "reverse", "training", "backward")
_STRIDED = ("x", "out", "by_out", "by_x", "zoneout", "watched")
"""Tensors of (batch, time, features): with the numbers to be added for the next of the batch and the next step."""

_SINGLE = ("weight_ih", "weight_hh", "bias", "hidden_mask", "kept", "by_weight_ih", "by_weight_hh", "by_sums")
_SEVERAL = ("gates", "vectors", "start", "final", "by_final", "by_start")
"""One for each gate, vector or state."""


def declaration() -> str:
    """The structure in C."""
    strides = [f"{name}_{by}" for name in _STRIDED for by in ("batch", "time")]
    fields = [f"long {', '.join([*_NUMBERS, *strides])};", "const long *lengths, *order;"]
    fields += [f"REAL *{', *'.join([name for name in (*_STRIDED, *_SINGLE) if name != 'zoneout'])};"]
    fields += [f"REAL **{', **'.join((*_SEVERAL, 'zoneout'))};"]
    inner = "\n".join(f"    {field}" for field in fields)
    return f"typedef struct {{\n{inner}\n}} Call;"


class Call(ctypes.Structure):
    """The same for ctypes."""

    _fields_ = [
        *((name, ctypes.c_long) for name in _NUMBERS),
        *((f"{name}_{by}", ctypes.c_long) for name in _STRIDED for by in ("batch", "time")),
        ("lengths", ctypes.c_void_p),
        ("order", ctypes.c_void_p),
        *((name, ctypes.c_void_p) for name in (*_STRIDED, *_SINGLE) if name != "zoneout"),
        *((name, ctypes.c_void_p) for name in (*_SEVERAL, "zoneout")),
    ]
