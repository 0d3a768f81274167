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
from rnncli.training.averaging import Average, swapped_in
from rnncli.training.events import CheckpointDue, Ended, Evaluation, Event, Step
from rnncli.training.optimizers import ASGD, build_optimizer, clip, gradient_norm
from rnncli.training.progress import Progress
from rnncli.training.schedules import factor, warmup
from rnncli.training.settings import PlateauSettings, TrainingSettings


class Loop:
    """One training of one model.

    Args:
        evaluate: metric name -> value of the validation part, with the model as it then is; {} where there is none.
        metric: name of the metric that chooses.
        improves: whether the first of two values of `metric` is better than the second.
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
        self.optimizer = build_optimizer(settings.optimizer, self.weights)
        self.average = Average(self.weights, settings.averaging) if settings.averaging else None
        self.progress = Progress()
        self.state: State | None = None
        self._gradient_norm: float | None = None
        self._began = 0.0

    def chosen(self) -> AbstractContextManager[None]:
        """Within, the model has the weights to evaluate and keep: the average where one is kept."""
        if self.average and self.average.count:
            return swapped_in(self.weights, self.average.values)
        if isinstance(self.optimizer, ASGD):
            return swapped_in(self.weights, self.optimizer.averages)
        return nullcontext()

    def events(self) -> Iterator[Event]:
        """Runs from where `progress` stands to the end.

        Raises:
            TrainingStopped: a loss, gradient or weight is not finite.
        """
        progress, every = self.progress, self.settings.checkpoint_steps
        self._began = time.perf_counter() - progress.seconds
        self.model.train()
        self._close_epoch(len(self._plan(progress.epoch)))  # the last sitting may have ended just before
        while self._reason_to_end() is None:
            plan = self._plan(progress.epoch)
            if self._evaluation_due(len(plan)):  # the last sitting ended between a step and its evaluation
                yield self._evaluation(len(plan))
            while progress.batch < len(plan) and self._reason_to_end() is None:
                yield self._step(plan)
                if self._evaluation_due(len(plan)):
                    yield self._evaluation(len(plan))
                if every and progress.step % every == 0 and progress.batch < len(plan):
                    yield CheckpointDue()
            self._close_epoch(len(plan))
            yield CheckpointDue()
        yield Ended(self._reason_to_end() or "epochs")

    def _close_epoch(self, batches: int) -> None:
        """Goes over to the next epoch where all batches of this one are done and evaluated."""
        progress = self.progress
        if progress.batch == batches and progress.evaluated == progress.step:
            progress.epoch, progress.batch, self.state = progress.epoch + 1, 0, None
            progress.epoch_seconds.append(progress.seconds - progress.epoch_began)
            progress.epoch_began = progress.seconds

    def _reason_to_end(self) -> str | None:
        """Why training is over, or None. Only after an evaluation is it ever."""
        settings, progress = self.settings, self.progress
        if progress.evaluated < progress.step:
            return None
        if settings.patience is not None and progress.waited >= settings.patience:
            return "patience"
        if self._time_over():
            return "time"
        return "epochs" if progress.epoch >= settings.epochs else None

    def _time_over(self) -> bool:
        return self.settings.max_time is not None and self.progress.seconds > self.settings.max_time * 60

    def _evaluation_due(self, batches: int) -> bool:
        """Whether an evaluation belongs to the last step and has not been made."""
        progress, every = self.progress, self.settings.evaluation_steps
        due = progress.batch == batches or (every and progress.step % every == 0) or self._time_over()
        return progress.evaluated < progress.step and bool(due)

    def _plan(self, epoch: int) -> list[np.ndarray]:
        order = np.random.default_rng([self.settings.seed, epoch])
        return self.data.plan(self.settings.batch_size, order, self.settings.bptt_steps)

    def _step(self, plan: list[np.ndarray]) -> Step:
        """One update from the next `accumulate` batches, each weighed by its items.

        That is the gradient of one large batch where all items weigh the same: not with weights of classes, nor with
        values that were not observed.
        """
        settings, progress = self.settings, self.progress
        started = time.perf_counter()
        entries = plan[progress.batch : progress.batch + settings.accumulate]
        loss_sum, items = 0.0, 0
        for entry in entries:
            loss, count = self._loss(self.data.batch(entry).to(self.device))
            value = loss.item()
            if not math.isfinite(value):
                raise self._not_finite(f"loss {value} at step {progress.step + 1}")
            if items == 0:  # not sooner, so that until here the gradients of the last step can be told of
                for weight in self.weights:
                    weight.grad = None
            loss_sum, items = loss_sum + value * count, items + count
            (loss * count if len(entries) > 1 else loss).backward()  # type: ignore[no-untyped-call]
        if len(entries) > 1:
            torch._foreach_div_([weight.grad for weight in self.weights if weight.grad is not None], max(items, 1))
        norm = self._gradient_norm = clip(self.weights, settings.clip_norm, settings.clip_value)
        if norm is not None and not math.isfinite(norm):
            raise self._not_finite(f"gradient not finite at step {progress.step + 1}")
        progress.learning_rate = self._learning_rate(len(plan))
        self.optimizer.step(progress.learning_rate)
        progress.batch += len(entries)
        progress.step += 1
        progress.loss_sum += loss_sum
        progress.items += items
        if self.average and progress.epoch + 1 >= self.average.settings.start:
            self.average.update()
        now = time.perf_counter()
        progress.training_seconds += now - started
        progress.seconds = now - self._began
        return Step(
            progress.epoch + 1,
            progress.step,
            progress.batch,
            len(plan),
            loss_sum / max(items, 1),  # a cut of a stream may ask for nothing
            items,
            progress.learning_rate,
            norm,
        )

    def _loss(self, batch: Batch) -> tuple[Tensor, int]:
        state = self.state if batch.continues else None
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.settings.mixed_precision):
            loss, items, self.state = self.model.loss(batch, state, self.settings.bptt_steps)
        return loss, items

    def _learning_rate(self, batches: int) -> float:
        settings, progress = self.settings, self.progress
        done = (progress.epoch + progress.batch / batches) / settings.epochs
        scheduled = factor(settings.schedule, progress.epoch, done, progress.reductions)
        return settings.learning_rate * scheduled * warmup(settings.warmup_steps, progress.step)

    def _evaluation(self, batches: int) -> Evaluation:
        """Evaluates, and draws the consequences for the best epoch and the plateau."""
        progress = self.progress
        self._refuse_spoilt_weights()
        with self.chosen():
            values = self.evaluate()
        self.model.train()
        best = self._is_best(values.get(self.metric))
        train_loss, speed = progress.loss_sum / max(progress.items, 1), progress.items / progress.training_seconds
        progress.loss_sum, progress.items, progress.training_seconds = 0.0, 0, 0.0
        progress.evaluated = progress.step
        progress.seconds = time.perf_counter() - self._began
        return Evaluation(
            progress.epoch + 1,
            progress.step,
            train_loss,
            progress.learning_rate,
            values,
            best,
            progress.batch == batches,
            progress.seconds,
            speed,
        )

    def _is_best(self, value: float | None) -> bool:
        """Takes in the value of the choosing metric; without one the last weights are the best."""
        progress, schedule = self.progress, self.settings.schedule
        best = value is None or progress.best is None or self.improves(value, progress.best)
        if best:
            progress.best, progress.best_epoch, progress.best_step = value, progress.epoch + 1, progress.step
            progress.waited = progress.plateau_waited = 0
            return True
        progress.waited += 1
        progress.plateau_waited += 1
        if isinstance(schedule, PlateauSettings) and progress.plateau_waited > schedule.patience:
            progress.reductions += 1
            progress.plateau_waited = 0
        return False

    def _refuse_spoilt_weights(self) -> None:
        """A gradient that is not finite and was not clipped shows in the weights.

        Raises:
            TrainingStopped: some weight is not finite.
        """
        if not all(bool(weight.detach().isfinite().all()) for weight in self.weights):
            raise self._not_finite(f"weights not finite after step {self.progress.step}")

    def _not_finite(self, what: str) -> TrainingStopped:
        gradients = [weight.grad for weight in self.weights if weight.grad is not None]
        norm = self._gradient_norm
        if norm is None and gradients:
            norm = gradient_norm(gradients)
        return TrainingStopped(
            f"{what} (epoch {self.progress.epoch + 1}); norm of the last gradient "
            f"{'not yet known' if norm is None else f'{norm:.3g}'}, learning rate "
            f"{self.progress.learning_rate:.3g}; try training.clip_norm: 1, a smaller "
            "training.learning_rate, or look for extreme values in the data; what was saved before is kept"
        )

    def tensors(self) -> dict[str, Tensor]:
        """Everything that is a tensor: weights, averages, optimizer, random state, carried state.

        Raises:
            TrainingStopped: some weight is not finite.
        """
        self._refuse_spoilt_weights()
        tensors = {f"model.{name}": value for name, value in self.model.state_dict().items()}
        tensors |= self.optimizer.tensors()
        tensors["random.cpu"] = torch.get_rng_state()
        if self.device.type == "cuda":
            tensors["random.cuda"] = torch.cuda.get_rng_state(self.device)
        if self.average:
            tensors["average.count"] = torch.tensor(self.average.count)
            tensors |= {f"average.{number}": value for number, value in enumerate(self.average.values)}
        if self.state is not None:
            tensors |= {f"state.{number}": value for number, value in enumerate(self.model.flat_state(self.state))}
        return tensors

    def restore(self, tensors: Mapping[str, Tensor], progress: Progress) -> None:
        """Takes back what `tensors` and `progress` held.

        Raises:
            KeyError, RuntimeError, ValueError: they are of another model or optimizer.
        """
        prefix = "model."
        self.model.load_state_dict({n[len(prefix) :]: v for n, v in tensors.items() if n.startswith(prefix)})
        self.optimizer.restore(tensors)
        torch.set_rng_state(tensors["random.cpu"])
        if self.device.type == "cuda" and "random.cuda" in tensors:
            torch.cuda.set_rng_state(tensors["random.cuda"], self.device)
        if self.average:
            self.average.count = int(tensors["average.count"])
            for number, average in enumerate(self.average.values):
                average.copy_(tensors[f"average.{number}"])
        carried = [tensors[f"state.{number}"] for number in range(sum(n.startswith("state.") for n in tensors))]
        self.state = self.model.state_from_flat([value.to(self.device) for value in carried]) if carried else None
        self.progress = progress
