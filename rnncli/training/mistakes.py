"""Which options of training would do nothing, or can't work, for the data at hand."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from rnncli.errors import unknown
from rnncli.inputs.targets import Target
from rnncli.training.settings import TrainingSettings


def training_mistakes(
    settings: TrainingSettings, target: Target, parts: Collection[str], metrics: Collection[str], bidirectional: bool
) -> Iterator[str]:
    """A sentence for each option that can't serve this data, with its dotted key.

    Args:
        parts: names of the parts that the data have.
        metrics: names of what an evaluation measures.
        bidirectional: whether the model reads in both directions.
    """
    if "valid" not in parts:
        for name in settings.choices():
            yield f"training.{name}: there is no validation part to choose by"
    elif settings.metric is not None and settings.metric not in metrics:
        yield f"training.metric: {unknown('metric for this target', settings.metric, metrics)}"
    if settings.choose_threshold and (target.kind != "class" or len(target.names) != 2):
        yield "training.choose_threshold: there is a threshold only between two classes"
    if settings.bptt_steps is not None and bidirectional:
        yield (
            "training.bptt_steps: gradients are cut in one order of reading, and model.bidirectional reads in both; "
            "leave one of them out"
        )
