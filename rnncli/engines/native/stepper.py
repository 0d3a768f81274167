"""Single steps by compiled code, the weights packed once."""

from __future__ import annotations

import ctypes
import weakref

import torch
from torch import Tensor

from rnncli.cells.weights import CellWeights, State
from rnncli.engines.native.call import Call
from rnncli.engines.native.library import Library
from rnncli.engines.stepper import Stepper
from rnncli.errors import RnncliError

_NO_MEMORY = "not enough memory for single steps in engine native"


class NativeStepper(Stepper):
    """Steps whose numbers have the same bits whatever rows stand beside them."""

    def __init__(self, library: Library, weights: CellWeights) -> None:
        super().__init__(weights)
        size = weights.weight_ih.shape[1]
        call = Call(time=1, input=size, hidden=self._hidden, threads=torch.get_num_threads())
        call.padded, call.input_padded = library.padded(self._hidden), library.padded(size)
        vectors = [weights.vectors[name] for name in weights.cell.graph.vectors]
        given = [weights.weight_ih, weights.weight_hh, weights.bias, *vectors]
        given = [None if each is None else each.detach().contiguous() for each in given]
        pointers = [None if each is None else each.data_ptr() for each in given]
        call.weight_ih, call.weight_hh, call.bias = pointers[:3]
        several = (ctypes.c_void_p * len(vectors))(*pointers[3:])
        self._old, self._new = ((ctypes.c_void_p * len(self._states))() for _ in range(2))
        call.vectors, call.start, call.final = map(ctypes.addressof, (several, self._old, self._new))
        handle = library.code.stepper_begin(ctypes.byref(call))
        if not handle:
            raise RnncliError(_NO_MEMORY)
        weakref.finalize(self, library.code.stepper_end, handle)
        self._handle, self._run = handle, library.code.stepper_step

    def _step(self, inputs: Tensor, state: State) -> State:
        # Any change of place, type or memory makes a tensor of its own, which has to live until the call is over.
        inputs = _dense(inputs, self._dtype)
        state = tuple([_dense(each, self._dtype) for each in state])
        made = tuple([torch.empty_like(each) for each in state])
        for place, (each, new) in enumerate(zip(state, made, strict=True)):
            self._old[place], self._new[place] = each.data_ptr(), new.data_ptr()
        rows, columns = inputs.shape
        if self._run(self._handle, rows, inputs.data_ptr(), columns):
            raise RnncliError(_NO_MEMORY)
        return made


def _dense(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    """The same numbers in that type and row by row.

    Raises:
        ValueError: they are not on the CPU.
    """
    if not tensor.is_cpu:
        raise ValueError(f"a state or input is on {tensor.device}, not on the CPU")
    if tensor.dtype == dtype and tensor.is_contiguous():
        return tensor
    return tensor.to(dtype).contiguous()
