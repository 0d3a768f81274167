"""A layer of flax under jit, with its gradients, on the CPU.

It needs jax, jaxlib and flax, which rnncli does not: an environment of its own, in which rnncli is installed too.
JAX's threads are as many as the cores that the process may run on, which cells.py sets to --threads before the import;
neither XLA nor JAX has an option for it that all their pools keep to.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import numpy as np

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import flax.linen
import jax

TWINS = {"lstm": ("OptimizedLSTMCell", "LSTMCell"), "gru": ("GRUCell",), "rnn": ("SimpleCell",)}
"""flax's cells with the equations of one of ours; the LSTM with four products in one, and with eight."""


def layer(kind: str, values: np.ndarray, gradient: np.ndarray) -> tuple[Callable[[], object], float]:
    """A function that runs forward and backward once, and the seconds of its compilation.

    Args:
        values: the inputs, (time, batch, hidden).
        gradient: of the outputs, in the same shape.
    """
    module = flax.linen.RNN(getattr(flax.linen, kind)(values.shape[2]), time_major=True)
    inputs, given = jax.device_put(values), jax.device_put(gradient)
    parameters = jax.jit(module.init)(jax.random.key(0), inputs)

    def both(parameters: dict, inputs: jax.Array, given: jax.Array) -> tuple:
        outputs, back = jax.vjp(module.apply, parameters, inputs)
        return outputs, back(given)

    started = time.perf_counter()
    compiled = jax.jit(both).lower(parameters, inputs, given).compile()
    seconds = time.perf_counter() - started
    return lambda: jax.block_until_ready(compiled(parameters, inputs, given)), seconds
