"""The recurrent layers that write numbers, one step of a horizon after another."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rnncli.heads.values import ValuesHead
from rnncli.inputs.targets import Target
from rnncli.layers.bridge import Bridge
from rnncli.layers.dropout import Dropout
from rnncli.layers.looking import Looking
from rnncli.layers.recurrent import Stack
from rnncli.models.guesses import Guesses
from rnncli.models.settings import ModelSettings
from rnncli.sequences import Padded


class ValueWriter(nn.Module):
    """Goes over the horizon, `patch` steps at once: reads what it wrote before (in training the truth, but for a share
    of its own guesses), where in the horizon it stands, and what is known of the steps to come; looks at what was read;
    writes their numbers.

    Args:
        size: features of what was read, at each position.
        summary_size: features of the vector for all of it.
        target: of kind forecast, with the names that are written together.
        ahead: numbers that are known of each step to come.
    """

    def __init__(
        self, settings: ModelSettings, size: int, summary_size: int, target: Target, ahead: int, patch: int
    ) -> None:
        super().__init__()
        options = settings.writing
        self.patch, self.count, self.reads_forecast = patch, len(target.names), options.reads_forecast
        self.steps = target.horizon // patch
        self.stack = Stack(
            options.cell or settings.cell,
            1 + patch * (ahead + (self.count if self.reads_forecast else 0)),
            layers=options.layers or settings.layers,
            connections=settings.connections,
            learned_initial_state=settings.learned_initial_state and options.bridge == "none",
            dropout=settings.dropout,
            engine=settings.engine,
        )
        self.bridge = None if options.bridge == "none" else Bridge(summary_size, self.stack)
        self.looking = Looking(options, self.stack.size, size)
        self.dropout = Dropout(settings.dropout.output)
        self.guesses = Guesses(options.scheduled_sampling, options.scheduled_sampling_steps)

    def forward(
        self,
        head: ValuesHead,
        read: Padded,
        summary: Tensor,
        before: Tensor,
        ahead: Tensor | None,
        truth: Tensor | None,
    ) -> Tensor:
        """(batch, horizon, names, levels).

        Args:
            head: says the numbers of `patch` steps.
            read: (batch, positions, size).
            summary: (batch, summary_size).
            before: (batch, patch, names) the numbers of the steps before the horizon.
            ahead: (batch, horizon, ...) what is known of the steps to come.
            truth: (batch, horizon, names) to be read in training; NaN where it is not known.
        """
        given = self._given(read.batch, summary, ahead)
        share = self.guesses.share()
        if not self.reads_forecast or (truth is not None and share == 0 and bool(truth.isfinite().all())):
            if self.reads_forecast and truth is not None:
                written = torch.cat([before, truth[:, : -self.patch]], dim=1)
                given = torch.cat([given, self._patched(written)], dim=2)
            return self._at_once(head, read, summary, given)
        return self._step_by_step(head, read, summary, given, before, truth, share)

    def _given(self, batch: int, like: Tensor, ahead: Tensor | None) -> Tensor:
        """(batch, steps, features): the place in the horizon, from 0 to 1, and what is known."""
        places = torch.linspace(0, 1, self.steps).to(like).view(1, -1, 1).expand(batch, -1, -1)
        return places if ahead is None else torch.cat([places, self._patched(ahead)], dim=2)

    def _patched(self, values: Tensor) -> Tensor:
        """(batch, horizon, width) to (batch, steps, patch * width)."""
        return values.reshape(len(values), self.steps, -1)

    def _at_once(self, head: ValuesHead, read: Padded, summary: Tensor, given: Tensor) -> Tensor:
        lengths = torch.full((read.batch,), self.steps)
        by_time = given.transpose(0, 1).contiguous()
        state = None if self.bridge is None else self.bridge(summary)
        outputs, _ = self.stack(Padded(by_time.transpose(0, 1), lengths), state)
        found, _ = self.looking(outputs.values, self.looking.memory(read))
        scores: Tensor = head.score(self.dropout(found).flatten(0, 1))
        return scores.reshape(read.batch, self.steps * self.patch, self.count, -1)

    def _step_by_step(
        self,
        head: ValuesHead,
        read: Padded,
        summary: Tensor,
        given: Tensor,
        before: Tensor,
        truth: Tensor | None,
        share: float,
    ) -> Tensor:
        memory, state = self.looking.memory(read), None if self.bridge is None else self.bridge(summary)
        made, one_step = [], self.stack.step if torch.is_grad_enabled() else self.stack.stepper().step
        for step in range(self.steps):
            output, state = one_step(torch.cat([given[:, step], before.flatten(1)], dim=1), state)
            found, _ = self.looking(output.unsqueeze(1), memory)
            scores = head.score(self.dropout(found.squeeze(1)))
            made.append(scores)
            before = scores[..., head.middle]
            if truth is not None:
                right = truth[:, step * self.patch : (step + 1) * self.patch]
                own = torch.rand(read.batch, 1, 1, device=right.device) < share
                before = torch.where(own | right.isnan(), before, right)
        return torch.cat(made, dim=1)
