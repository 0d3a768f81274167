"""Options of the audio loader."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, field_validator

from rnncli.config.settings import Settings
from rnncli.inputs.cutting import CutSettings
from rnncli.inputs.settings import TableSettings
from rnncli.inputs.targets import Units
from rnncli.registry import ChosenBy

FOLDER = "folder"
"""What is always known of a file beside the columns of a manifest and the groups of its name."""

Share = Annotated[float, Field(ge=0, lt=1)]
Chosen = Annotated[dict[str, Annotated[list[str | int], Field(min_length=1)]], Field(min_length=1)]


class AudioTarget(CutSettings):
    """What a recording is to be mapped to."""

    kind: Literal["class", "sequence"]
    """A class, or the text that is spoken."""

    column: str = FOLDER
    """What holds it: a column of the manifest, a named group of `name`, or `folder`, the folder a file lies in."""

    units: Units = "character"
    """What a text is cut into: words at white space, characters (code points), graphemes (what a reader sees as one
    character) or pieces of a sentencepiece model."""

    @property
    def max_length(self) -> None:
        """What is spoken is never cut."""


class AudioSplit(Settings):
    """How the parts that have no file of their own are cut: chosen by what is known of each file
    (`{speaker: [theo]}`), or a share, drawn by seed, of the files that are not chosen."""

    valid: Share | Chosen = 0.1
    """Share held out for validation, or the values by which its files are chosen."""

    test: Share | Chosen = 0.1
    """Share held out for the test, or the values by which its files are chosen."""

    seed: int = 1
    """Seed of the draw; equal recordings always fall into the same part."""


class SpectrumSettings(Settings):
    """Options that all features of sounds have."""

    type: str
    """What is computed from the samples."""

    mels: int = Field(40, ge=2)
    """Filters of the mel scale (that of HTK)."""

    window: float = Field(25.0, gt=0, allow_inf_nan=False)
    """Length of a window in milliseconds."""

    hop: float = Field(10.0, gt=0, allow_inf_nan=False)
    """From one window to the next, in milliseconds."""

    low: float = Field(0.0, ge=0, allow_inf_nan=False)
    """Lowest frequency in Hz."""

    high: float | None = Field(None, gt=0, allow_inf_nan=False)
    """Highest frequency in Hz; half the sample rate where not given."""

    deltas: int = Field(0, ge=0, le=2)
    """Slopes in time beside each number: none, the slope (1), or also the slope of the slope (2)."""


class LogMelSettings(SpectrumSettings):
    """Options of log-mel spectra."""

    type: Literal["log_mel"]
    """Logarithm of the power in each filter of the mel scale."""


class MFCCSettings(SpectrumSettings):
    """Options of mel-frequency cepstra."""

    type: Literal["mfcc"]
    """The first coefficients of the cosine transform of the log-mel spectrum (Davis & Mermelstein 1980)."""

    coefficients: int = Field(13, ge=1)
    """How many of them."""


SPECTRA: dict[str, type[Settings]] = {"log_mel": LogMelSettings, "mfcc": MFCCSettings}

AnySpectrum = Annotated[SpectrumSettings, ChosenBy("type", lambda: dict(SPECTRA))]

LOG_MEL = LogMelSettings(type="log_mel")


class JoinSettings(Settings):
    """Examples of several recordings of the same part, one after another, their texts joined."""

    recordings: int = Field(ge=2)
    """Recordings of an example."""

    train: int = Field(ge=1)
    """Examples of the training part."""

    valid: int = Field(ge=1)
    """Examples of the validation part."""

    test: int = Field(ge=1)
    """Examples of the test part."""

    seed: int = 1
    """Seed of the draw."""


class AudioSettings(TableSettings):
    """Sounds from wav and flac files, or features stored as arrays (.npy) or tables of numbers (.csv), one a file:
    in folders, zip files, or named by a manifest (a table)."""

    loader: Literal["audio"]

    input: str = "file"
    """Column of a manifest that holds the paths, relative to the manifest."""

    name: str | None = None
    r"""Regular expression that the name of each file must match, its suffix left out; named groups, such as
    (?P<speaker>[a-z]+), may be the target or choose a part."""

    target: AudioTarget

    sample_rate: int | None = Field(None, ge=1000)
    """Samples a second to which all sounds are brought; that of the first training file where not given."""

    features: AnySpectrum = LOG_MEL
    """What the model reads of a sound."""

    normalization: Literal["none", "utterance", "training"] = "utterance"
    """Subtract mean and divide by deviation of each feature: not at all, of the example itself (which hides what does
    not change in it, such as the microphone), or of the training part."""

    join: JoinSettings | None = None
    """Longer examples made of several recordings."""

    split: AudioSplit = AudioSplit()

    @field_validator("name")
    @classmethod
    def _is_an_expression_with_groups(cls, name: str | None) -> str | None:
        if name is None:
            return None
        try:
            groups = re.compile(name).groupindex
        except re.error as error:
            raise ValueError(f"{name!r} is no regular expression: {error}") from None
        if not groups:
            raise ValueError(f"{name!r} has no named group, such as (?P<speaker>[a-z]+)")
        if FOLDER in groups:
            raise ValueError(f"{name!r} has a group {FOLDER!r}, which is the folder that a file lies in; rename it")
        return name

    def idle(self) -> Iterator[str]:
        sequence = self.target.kind == "sequence"
        if sequence:
            yield from self.target.cut_idly("target")
        for name in CutSettings.model_fields if not sequence else ():
            if self.target.changed(name):
                yield f"target.{name}: is for texts; target.kind is class"
        if not sequence and self.join is not None:
            yield "join: joins texts, and target.kind is class"
        if isinstance(self.features, MFCCSettings) and self.features.coefficients > self.features.mels:
            yield (
                f"features.coefficients: {self.features.coefficients}, but a spectrum of {self.features.mels} filters "
                "has no more coefficients than filters"
            )
        drawn = [part for part in ("valid", "test") if isinstance(getattr(self.split, part), float | int)]
        if self.split.changed("seed") and not any(getattr(self.split, part) for part in drawn):
            yield "split.seed: no part is drawn"
        yield from self.idle_split(self.split)
