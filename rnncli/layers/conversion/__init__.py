"""Weights from and to the recurrent layers of torch.nn and of Keras."""

from rnncli.layers.conversion.keras_arrays import from_keras, load_keras, to_keras
from rnncli.layers.conversion.torch_modules import from_torch, load_torch, to_torch

__all__ = ["from_keras", "from_torch", "load_keras", "load_torch", "to_keras", "to_torch"]
