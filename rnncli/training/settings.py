"""Options of training; free of torch, so that a config is checked before torch is loaded."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from rnncli.config.paths import InputPath
from rnncli.config.settings import Settings
from rnncli.registry import ChosenBy


class OptimizerSettings(Settings):
    """How gradients change the weights."""

    type: str
    """The optimizer."""

    weight_decay: float = Field(0.0, ge=0)
    """L2 penalty; decoupled from the gradient in adamw."""


class SGDSettings(OptimizerSettings):
    type: Literal["sgd"]

    momentum: float = Field(0.0, ge=0, lt=1)
    """Share of the last update that is kept."""

    nesterov: bool = False
    """Look ahead along the momentum."""

    @model_validator(mode="after")
    def _nesterov_needs_momentum(self) -> SGDSettings:
        if self.nesterov and self.momentum == 0:
            raise ValueError("nesterov does nothing without momentum: set momentum above 0")
        return self


class AdamSettings(OptimizerSettings):
    type: Literal["adam", "adamw"]

    betas: tuple[float, float] = (0.9, 0.999)
    """Decay of the running means of the gradient and of its square."""

    epsilon: float = Field(1e-8, gt=0)
    """Added to the denominator."""


class RMSpropSettings(OptimizerSettings):
    type: Literal["rmsprop"]

    alpha: float = Field(0.99, ge=0, lt=1)
    """Decay of the running mean of the squared gradient."""

    momentum: float = Field(0.0, ge=0, lt=1)
    """Share of the last update that is kept."""

    epsilon: float = Field(1e-8, gt=0)
    """Added to the denominator."""


class ASGDSettings(OptimizerSettings):
    type: Literal["asgd"]

    decay: float = Field(1e-4, ge=0)
    """Decay of the running average's step (lambd in torch.optim.ASGD)."""

    start: int = Field(1_000_000, ge=0)
    """Step from which weights are averaged (t0 in torch.optim.ASGD)."""


OPTIMIZERS: dict[str, type[OptimizerSettings]] = {
    "sgd": SGDSettings,
    "adam": AdamSettings,
    "adamw": AdamSettings,
    "rmsprop": RMSpropSettings,
    "asgd": ASGDSettings,
}


class ScheduleSettings(Settings):
    """How the learning rate changes over the epochs."""

    type: str
    """The schedule."""


class ConstantSettings(ScheduleSettings):
    type: Literal["constant"] = "constant"


class StepSettings(ScheduleSettings):
    type: Literal["step"]

    every: int = Field(ge=1)
    """Epochs between two reductions."""

    factor: float = Field(0.1, gt=0, lt=1)
    """What the learning rate is multiplied by."""


class ExponentialSettings(ScheduleSettings):
    type: Literal["exponential"]

    factor: float = Field(gt=0, lt=1)
    """What the learning rate is multiplied by after each epoch."""


class CosineSettings(ScheduleSettings):
    type: Literal["cosine"]

    final: float = Field(0.0, ge=0)
    """Learning rate after the last step, as a share of the first."""


class PlateauSettings(ScheduleSettings):
    type: Literal["plateau"]

    patience: int = Field(2, ge=0)
    """Evaluations without improvement of the metric that are borne."""

    factor: float = Field(0.5, gt=0, lt=1)
    """What the learning rate is then multiplied by."""


class HalvingSettings(ScheduleSettings):
    """Zaremba et al. 2014: constant for some epochs, then smaller with every epoch."""

    type: Literal["halving"]

    constant: int = Field(4, ge=0)
    """Epochs at the full learning rate."""

    factor: float = Field(0.5, gt=0, lt=1)
    """What the learning rate is multiplied by before each later epoch."""


SCHEDULES: dict[str, type[ScheduleSettings]] = {
    "constant": ConstantSettings,
    "step": StepSettings,
    "exponential": ExponentialSettings,
    "cosine": CosineSettings,
    "plateau": PlateauSettings,
    "halving": HalvingSettings,
}


class AveragingSettings(Settings):
    """Averaging of the weights; evaluations and the saved weights use the average."""

    type: Literal["exponential", "mean"]
    """Exponential moving average, or plain mean of all steps."""

    decay: float = Field(0.999, gt=0, lt=1)
    """Share of the old average that a step keeps, where exponential."""

    start: int = Field(1, ge=1)
    """Epoch from which on weights are averaged."""


class TrainingSettings(Settings):
    """How the model is trained."""

    epochs: int = Field(10, ge=1)
    """Passes over the training part."""

    batch_size: int = Field(32, ge=1)
    """Sequences, windows or columns of a stream in a batch."""

    learning_rate: float = Field(0.001, gt=0)
    """Size of a step, before the schedule."""

    optimizer: Annotated[OptimizerSettings, ChosenBy("type", lambda: dict(OPTIMIZERS))] = AdamSettings(type="adam")

    schedule: Annotated[ScheduleSettings, ChosenBy("type", lambda: dict(SCHEDULES))] = ConstantSettings()

    warmup_steps: int = Field(0, ge=0)
    """Steps over which the learning rate rises from zero, in a straight line."""

    clip_norm: float | None = Field(None, gt=0)
    """Greatest norm of all gradients together; a longer gradient is shortened (Pascanu et al. 2013)."""

    clip_value: float | None = Field(None, gt=0)
    """Greatest absolute value of any element of a gradient."""

    bptt_steps: int | None = Field(None, ge=1)
    """Time steps after which a stream is cut for the backward pass, the state carried on (truncated BPTT)."""

    accumulate: int = Field(1, ge=1)
    """Batches whose gradients make one step."""

    metric: str | None = None
    """Metric of the validation part that chooses the best epoch; each kind of target has its own if not given."""

    patience: int | None = Field(None, ge=1)
    """Evaluations without improvement of the metric after which training stops early."""

    choose_threshold: bool = False
    """With two classes: predict the second one from the probability on that is best for its F1 on the validation
    part, instead of from one half."""

    averaging: AveragingSettings | None = None

    evaluation_steps: int | None = Field(None, ge=1)
    """Steps between evaluations within an epoch, besides the one after each epoch."""

    checkpoint_steps: int | None = Field(None, ge=1)
    """Steps between checkpoints within an epoch, besides the one after each epoch."""

    seed: int = Field(1, ge=0)
    """Seed of initial weights, order of the data and dropout."""

    mixed_precision: bool = False
    """Compute in bfloat16 where it is safe; GPU only."""

    device: str = "auto"
    """auto, cpu, cuda, cuda:1, mps; auto takes the first GPU, or else the CPU."""

    threads: int | None = Field(None, ge=1)
    """Threads of the CPU; results have the same bits only for the same number. As many as cores if not given."""

    max_time: float | None = Field(None, gt=0)
    """Minutes after which training ends as if the epochs were done."""

    limit: int | None = Field(None, ge=1)
    """Rows read of each part, for a quick try."""

    init_from: InputPath | None = None
    """Run whose weights are the start, where names and shapes agree."""

    refit: bool = False
    """Train on the training and validation parts together, for the stated number of epochs, without choosing."""

    @model_validator(mode="after")
    def _choices_need_validation(self) -> TrainingSettings:
        if self.refit:
            for name, given in (
                ("patience", self.patience is not None),
                ("metric", self.metric is not None),
                ("choose_threshold", self.choose_threshold),
                ("schedule plateau", self.schedule.type == "plateau"),
            ):
                if given:
                    raise ValueError(f"refit leaves no validation part: {name} would do nothing")
        return self
