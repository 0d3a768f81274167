"""Sequences of unequal length in one tensor, and what follows from their lengths."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor


@dataclass(frozen=True)
class Padded:
    """Sequences padded at their end to the longest.

    Attributes:
        values: (batch, time, ...). Padding positions hold anything; whoever reads them must mask.
        lengths: (batch,) int64, always on the CPU so that no decision waits for a device; each in 1..time.
    """

    values: Tensor
    lengths: Tensor

    @property
    def batch(self) -> int:
        return self.values.shape[0]

    @property
    def time(self) -> int:
        return self.values.shape[1]

    @cached_property
    def full(self) -> bool:
        """Whether no position is padding."""
        return bool((self.lengths == self.time).all())

    @cached_property
    def mask(self) -> Tensor:
        """(batch, time) bool on the device of `values`: True where a position is valid."""
        steps = torch.arange(self.time)
        return (steps < self.lengths.unsqueeze(1)).to(self.values.device)

    @cached_property
    def reversal(self) -> Tensor:
        """(batch, time) int64 on the device of `values`: for each position the one that takes its place
        when every sequence is reversed within its own length. Padding stays where it is, so the map is
        its own inverse."""
        steps = torch.arange(self.time).expand(self.batch, -1)
        mirrored = self.lengths.unsqueeze(1) - 1 - steps
        return torch.where(mirrored >= 0, mirrored, steps).to(self.values.device)

    @cached_property
    def last(self) -> Tensor:
        """(batch,) int64 on the device of `values`: the position of the last valid step."""
        return (self.lengths - 1).to(self.values.device)

    @cached_property
    def _padding_rows(self) -> Tensor:
        """Which rows of the time-major (time * batch, ...) view are padding."""
        return (~self.mask).t().flatten().nonzero().squeeze(1)

    def with_values(self, values: Tensor) -> Padded:
        """The same lengths around other values of (batch, time, ...) on the same device."""
        other = Padded(values, self.lengths)
        derived = {name: value for name, value in self.__dict__.items() if name not in ("values", "lengths")}
        other.__dict__.update(derived)  # mask and maps follow from the lengths: they are not made again
        return other

    def filled(self, value: float) -> Padded:
        """The same sequences with that value at padding positions, in time-major memory."""
        if self.full:
            return self
        by_time = self.values.transpose(0, 1)
        filled = by_time.flatten(0, 1).index_fill(0, self._padding_rows, value).view(by_time.shape)
        return self.with_values(filled.transpose(0, 1))

    def zeroed(self) -> Padded:
        """The same sequences with zeros at padding positions, in time-major memory."""
        return self.filled(0)

    def to(self, device: torch.device) -> Padded:
        """The same sequences with `values` on another device."""
        return Padded(self.values.to(device, non_blocking=True), self.lengths)
