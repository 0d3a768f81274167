"""Options of training; free of torch, so that a config is checked before torch is loaded."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from rnncli.config.paths import InputPath
from rnncli.config.settings import Settings
from rnncli.registry import ChosenBy

Share = Annotated[float, Field(ge=0, lt=1)]


class OptimizerSettings(Settings):
    """How gradients change the weights."""

    type: str
    """The optimizer."""

    weight_decay: float = Field(0.0, ge=0)
    """L2 penalty; decoupled from the gradient in adamw."""


class SGDSettings(OptimizerSettings):
    """Stochastic gradient descent."""

    type: Literal["sgd"]

    momentum: Share = 0.0
    """Share of the last update that is kept."""

    nesterov: bool = False
    """Look ahead along the momentum."""

    rescale_learning_rate: bool = False
    """Multiply the learning rate by 1 - momentum, so that momentum does not change the size of the steps (Greff et al.
    2017); a momentum of 0 leaves it as it is."""

    @model_validator(mode="after")
    def _nesterov_needs_momentum(self) -> SGDSettings:
        if self.nesterov and self.momentum == 0:
            raise ValueError("nesterov does nothing without momentum: set momentum above 0")
        return self


class AdamSettings(OptimizerSettings):
    """Kingma & Ba 2015; adamw as in Loshchilov & Hutter 2019."""

    type: Literal["adam", "adamw"]

    betas: tuple[Share, Share] = (0.9, 0.999)
    """Decay of the running means of the gradient and of its square."""

    epsilon: float = Field(1e-8, gt=0)
    """Added to the denominator."""


class RMSpropSettings(OptimizerSettings):
    """Tieleman & Hinton 2012."""

    type: Literal["rmsprop"]

    alpha: Share = 0.99
    """Decay of the running mean of the squared gradient."""

    momentum: Share = 0.0
    """Share of the last update that is kept."""

    epsilon: float = Field(1e-8, gt=0)
    """Added to the denominator."""


class ASGDSettings(OptimizerSettings):
    """Averaged stochastic gradient descent (Polyak & Juditsky 1992); evaluations and the saved weights use the
    average."""

    type: Literal["asgd"]

    decay: float = Field(1e-4, ge=0)
    """Pull of the weights towards zero, by which the learning rate falls too (lambd in torch.optim.ASGD)."""

    start: int = Field(ge=0)
    """Step after which weights are averaged (t0 in torch.optim.ASGD)."""


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
    """The same learning rate at all times."""

    type: Literal["constant"] = "constant"


class StepSettings(ScheduleSettings):
    """Smaller after every so many epochs."""

    type: Literal["step"]

    every: int = Field(ge=1)
    """Epochs between two reductions."""

    factor: float = Field(0.1, gt=0, lt=1)
    """What the learning rate is multiplied by."""


class ExponentialSettings(ScheduleSettings):
    """Smaller after every epoch."""

    type: Literal["exponential"]

    factor: float = Field(gt=0, lt=1)
    """What the learning rate is multiplied by after each epoch."""


class CosineSettings(ScheduleSettings):
    """Half a cosine over all steps of the run (Loshchilov & Hutter 2017, without restarts)."""

    type: Literal["cosine"]

    final: float = Field(0.0, ge=0)
    """Learning rate after the last step, as a share of the first."""


class PlateauSettings(ScheduleSettings):
    """Smaller when the metric of the validation part no longer improves."""

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

    @model_validator(mode="after")
    def _decay_is_exponential(self) -> AveragingSettings:
        if self.type == "mean" and self.changed("decay"):
            raise ValueError("decay belongs to type: exponential; the mean weighs all steps alike")
        return self


class TrainingSettings(Settings):
    """How the model is trained."""

    epochs: int = Field(10, ge=1)
    """Passes over the training part."""

    batch_size: int = Field(32, ge=1)
    """Sequences, windows or columns of a stream in a batch; evaluation takes four times as many, but for streams."""

    learning_rate: float = Field(0.001, gt=0)
    """Size of a step, before the schedule."""

    optimizer: Annotated[OptimizerSettings, ChosenBy("type", lambda: dict(OPTIMIZERS))] = AdamSettings(type="adam")
    """How gradients change the weights."""

    schedule: Annotated[ScheduleSettings, ChosenBy("type", lambda: dict(SCHEDULES))] = ConstantSettings()
    """How the learning rate changes over the epochs."""

    warmup_steps: int = Field(0, ge=0)
    """Steps over which the learning rate rises from zero, in a straight line."""

    clip_norm: float | None = Field(None, gt=0)
    """Greatest norm of all gradients together; a longer gradient is shortened (Pascanu et al. 2013)."""

    clip_value: float | None = Field(None, gt=0)
    """Greatest absolute value of any element of a gradient."""

    bptt_steps: int | None = Field(None, ge=1)
    """Steps of the recurrent layers that gradients go back at most, the state being carried on without its history
    (truncated BPTT, Williams & Peng 1990): a stream is cut every so many and makes an update after each; a sequence
    is cut every so many from its end and makes one update after all."""

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
    """Evaluate and keep an average of the weights along the way instead of the last ones."""

    evaluation_steps: int | None = Field(None, ge=1)
    """Steps between evaluations within an epoch, besides the one after each epoch."""

    checkpoint_steps: int | None = Field(None, ge=1)
    """Steps between checkpoints within an epoch, besides the one after each epoch."""

    seed: int = Field(1, ge=0, lt=2**63)
    """Seed of initial weights, order of the data and dropout; with the same one, parameters of the same name and shape
    start alike in different models."""

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

    def choices(self) -> list[str]:
        """The options that choose something by the validation part."""
        chosen = {
            "patience": self.patience is not None,
            "metric": self.metric is not None,
            "choose_threshold": self.choose_threshold,
            "schedule.type plateau": isinstance(self.schedule, PlateauSettings),
        }
        return [name for name, given in chosen.items() if given]

    @model_validator(mode="after")
    def _nothing_idle(self) -> TrainingSettings:
        if self.refit and self.choices():
            raise ValueError(f"refit leaves no validation part: {', '.join(self.choices())} would do nothing")
        if self.averaging is not None and isinstance(self.optimizer, ASGDSettings):
            raise ValueError("averaging: optimizer asgd averages the weights already; take sgd, or leave one out")
        if self.averaging is not None and self.averaging.start > self.epochs:
            raise ValueError(f"averaging.start: {self.averaging.start} is later than the last of {self.epochs} epochs")
        return self
