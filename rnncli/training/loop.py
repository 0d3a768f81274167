"""The training loop, as a generator of events: it prints nothing and writes nothing.

    for each epoch:
        for each batch, in the order that seed and epoch give:
            loss of the batch, the state carried on where a stream continues
            gradients; clipped; one step of the optimizer at the scheduled rate; average of the weights
        metrics of the validation part: is it the best so far? does it reduce the rate? is it time to stop?

Between any two events the loop can be saved (`tensors`, `progress`) and another one restored to go on bit for bit.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
from torch import Tensor

from rnncli.errors import TrainingStopped
from rnncli.inputs.batches import Batch, Dataset
from rnncli.models.model import Model, State
from rnncli.training.averaging import Average
from rnncli.training.events import CheckpointDue, Ended, Evaluation, Event, Step
from rnncli.training.optimizers import build_optimizer, clip, set_learning_rate
from rnncli.training.progress import Progress
from rnncli.training.saved_state import optimizer_tensors, restore_optimizer
from rnncli.training.schedules import factor, warmup
from rnncli.training.settings import PlateauSettings, TrainingSettings


class Loop:
    """One training of one model.

    Args:
        evaluate: metric name -> value of the validation part, with the model as it then is; {} where there is none.
        improves: whether the first of two values of `metric` is better than the second.
        metric: name of the metric that chooses.
    """

    def __init__(
        self,
        model: Model,
        data: Dataset,
        settings: TrainingSettings,
        device: torch.device,
        evaluate: Callable[[], dict[str, float]],
        metric: str,
        improves: Callable[[float, float], bool],
    ) -> None:
        self.model, self.data, self.settings, self.device = model, data, settings, device
        self.evaluate, self.metric, self.improves = evaluate, metric, improves
        self.weights = [weight for weight in model.parameters() if weight.requires_grad]
        self.optimizer = build_optimizer(settings.optimizer, settings.learning_rate, self.weights)
        self.average = Average(model, settings.averaging) if settings.averaging else None
        self.progress = Progress()
        self.state: State | None = None

    def chosen(self) -> AbstractContextManager[None]:
        """Within, the model has the weights to evaluate and keep: the average where one is kept."""
        return self.average.in_place() if self.average else nullcontext()

    def events(self) -> Iterator[Event]:
        """Runs from where `progress` stands to the end.

        Raises:
            TrainingStopped: a loss is not finite.
        """
        settings, progress = self.settings, self.progress
        started = time.perf_counter() - progress.seconds
        while progress.ended is None and progress.epoch < settings.epochs:
            epoch_started = time.perf_counter()
            plan = self._plan(progress.epoch)
            while progress.batch < len(plan) and progress.ended is None:
                step_started = time.perf_counter()
                step = self._step(plan)
                now = time.perf_counter()
                progress.training_seconds += now - step_started
                progress.seconds = now - started
                yield step
                if settings.max_time is not None and progress.seconds > settings.max_time * 60:
                    progress.ended = "time"
                over = progress.batch == len(plan)
                if not over and settings.evaluation_steps and progress.step % settings.evaluation_steps == 0:
                    yield self._evaluation(started, ends_epoch=False)
                if not over and settings.checkpoint_steps and progress.step % settings.checkpoint_steps == 0:
                    yield CheckpointDue()
            ends_epoch = progress.batch == len(plan)
            if ends_epoch:
                progress.epoch, progress.batch, self.state = progress.epoch + 1, 0, None
                progress.epoch_seconds.append(time.perf_counter() - epoch_started)
            if ends_epoch or progress.ended == "time":
                yield self._evaluation(started, ends_epoch)
            if progress.ended is None and progress.epoch >= settings.epochs:
                progress.ended = "epochs"
            yield CheckpointDue()
        yield Ended(progress.ended or "epochs")

    def _plan(self, epoch: int) -> list[np.ndarray]:
        order = np.random.default_rng([self.settings.seed, epoch])
        return self.data.plan(self.settings.batch_size, order, self.settings.bptt_steps)

    def _step(self, plan: list[np.ndarray]) -> Step:
        """One update from the next `accumulate` batches: the gradient of their mean loss over all their items."""
        settings, progress = self.settings, self.progress
        self.model.train()
        entries = plan[progress.batch : progress.batch + settings.accumulate]
        loss_sum, items = 0.0, 0
        for entry in entries:
            batch = self.data.batch(entry).to(self.device)
            loss, count = self._loss(batch)
            value = float(loss.detach())
            if not math.isfinite(value):
                raise TrainingStopped(self._not_finite("loss", value))
            loss_sum, items = loss_sum + value * count, items + count
            (loss * count if len(entries) > 1 else loss).backward()  # type: ignore[no-untyped-call]
        gradients = [weight.grad for weight in self.weights if weight.grad is not None]
        if len(entries) > 1:
            torch._foreach_div_(gradients, items)
        norm = clip(self.weights, settings.clip_norm, settings.clip_value)
        if norm is not None and not math.isfinite(norm):
            raise TrainingStopped(self._not_finite("gradient norm", norm))
        rate = self._learning_rate(len(plan))
        set_learning_rate(self.optimizer, rate)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        progress.batch += len(entries)
        progress.step += 1
        progress.loss_sum += loss_sum
        progress.items += items
        if self.average and progress.epoch + 1 >= self.average.settings.start:
            self.average.update()
        return Step(progress.epoch + 1, progress.step, progress.batch, len(plan), loss_sum / items, items, rate, norm)

    def _loss(self, batch: Batch) -> tuple[Tensor, int]:
        state = self.state if batch.continues else None
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.settings.mixed_precision):
            loss, items, state = self.model.loss(batch, state)
        self.state = state
        return loss, items

    def _learning_rate(self, batches: int) -> float:
        settings, progress = self.settings, self.progress
        done = (progress.epoch + progress.batch / batches) / settings.epochs
        scheduled = factor(settings.schedule, progress.epoch, done, progress.reductions)
        return settings.learning_rate * scheduled * warmup(settings.warmup_steps, progress.step)

    def _evaluation(self, started: float, ends_epoch: bool) -> Evaluation:
        """Evaluates, and draws the consequences for the best epoch, the plateau and early stopping."""
        progress, settings = self.progress, self.settings
        with self.chosen():
            values = self.evaluate()
        best = False
        if values:
            value = values[self.metric]
            best = progress.best is None or self.improves(value, progress.best)
            if best:
                progress.best, progress.best_epoch, progress.best_step = value, self._epoch_now(), progress.step
                progress.waited = progress.plateau_waited = 0
            else:
                progress.waited += 1
                progress.plateau_waited += 1
                if isinstance(settings.schedule, PlateauSettings) and (
                    progress.plateau_waited > settings.schedule.patience
                ):
                    progress.reductions += 1
                    progress.plateau_waited = 0
                if settings.patience is not None and progress.waited >= settings.patience:
                    progress.ended = "patience"
        else:
            progress.best_epoch, progress.best_step = self._epoch_now(), progress.step
            best = True
        train_loss = progress.loss_sum / progress.items if progress.items else math.nan
        speed = progress.items / progress.training_seconds if progress.training_seconds else 0.0
        progress.loss_sum, progress.items, progress.training_seconds = 0.0, 0, 0.0
        progress.seconds = time.perf_counter() - started
        return Evaluation(
            self._epoch_now(),
            progress.step,
            train_loss,
            self.optimizer.param_groups[0]["lr"],
            values,
            best,
            ends_epoch,
            progress.seconds,
            speed,
        )

    def _epoch_now(self) -> int:
        """The epoch under way or just ended, from 1."""
        return self.progress.epoch + (1 if self.progress.batch else 0)

    def _not_finite(self, what: str, value: float) -> str:
        gradients = [weight.grad for weight in self.weights if weight.grad is not None]
        norm = float(torch.nn.utils.get_total_norm(gradients)) if gradients else math.nan
        return (
            f"{what} {value} at step {self.progress.step + 1} (epoch {self.progress.epoch + 1}), "
            f"gradient norm {norm:.3g}; try training.clip_norm: 1, a smaller training.learning_rate than "
            f"{self.optimizer.param_groups[0]['lr']:.3g}, or look for extreme values in the data"
        )

    def tensors(self) -> dict[str, Tensor]:
        """Everything that is a tensor: weights, averages, optimizer, random state, carried state."""
        tensors = {f"model.{name}": value for name, value in self.model.state_dict().items()}
        tensors |= optimizer_tensors(self.optimizer)
        tensors["random.cpu"] = torch.get_rng_state()
        if self.device.type == "cuda":
            tensors["random.cuda"] = torch.cuda.get_rng_state(self.device)
        if self.average:
            tensors["average.count"] = torch.tensor(self.average.count)
            tensors |= {f"average.{number}": value for number, value in enumerate(self.average.averages)}
        if self.state is not None:
            tensors |= {f"state.{number}": value for number, value in enumerate(self.model.flat_state(self.state))}
        return tensors

    def restore(self, tensors: Mapping[str, Tensor], progress: Progress) -> None:
        """Takes back what `tensors` and `progress` held."""
        prefix = "model."
        self.model.load_state_dict({n[len(prefix) :]: v for n, v in tensors.items() if n.startswith(prefix)})
        restore_optimizer(self.optimizer, tensors)
        torch.set_rng_state(tensors["random.cpu"])
        if self.device.type == "cuda" and "random.cuda" in tensors:
            torch.cuda.set_rng_state(tensors["random.cuda"], self.device)
        if self.average:
            self.average.count = int(tensors["average.count"])
            for number, average in enumerate(self.average.averages):
                average.copy_(tensors[f"average.{number}"])
        carried = [tensors[f"state.{number}"] for number in range(sum(n.startswith("state.") for n in tensors))]
        self.state = self.model.state_from_flat([value.to(self.device) for value in carried]) if carried else None
        self.progress = progress
