"""The names of the engines, for settings; importing them does not import torch."""

from typing import Literal

EngineName = Literal["auto", "loop", "fused", "native", "torch"]
