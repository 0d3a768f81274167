"""How parameters start. Nothing here needs torch; `drawing` draws them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from rnncli.config.settings import Settings
from rnncli.registry import ChosenBy, Registry

Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class InitializerSettings(Settings):
    """How the numbers of a block of parameters are drawn.

    Attributes:
        matrices_only: whether it needs rows and columns, so that it can't draw biases and vector parameters.
        everywhere: whether a whole model can start in this way.
    """

    matrices_only: ClassVar[bool] = False
    everywhere: ClassVar[bool] = True

    type: str
    """Name of the way."""

    def suits(self, dimensions: int) -> bool:
        """Whether it can draw parameters of so many dimensions: 2 for a matrix, 1 for a vector."""
        return dimensions == 2 or not self.matrices_only


INITIALIZERS: Registry[type[InitializerSettings]] = Registry("initializer")


@INITIALIZERS.register("uniform")
class UniformSettings(InitializerSettings):
    """Uniform within ±scale / sqrt(hidden_size), or from low to high."""

    type: Literal["uniform"] = "uniform"
    """Uniform within ±scale / sqrt(hidden_size), with a scale of 1 what torch.nn does; or from low to high."""

    scale: Positive = 1.0
    """Half the width of the interval, in units of 1 / sqrt(hidden_size)."""

    low: Finite | None = None
    """Lower end of the interval, whatever the hidden_size; goes with high, in place of scale."""

    high: Finite | None = None
    """Upper end of the interval."""

    @model_validator(mode="after")
    def _one_interval(self) -> Self:
        if (self.low is None) != (self.high is None):
            raise ValueError("low and high go together; give both or none")
        if self.low is not None and self.high is not None:
            if self.low >= self.high:
                raise ValueError(f"low {self.low:g} is not below high {self.high:g}")
            if self.changed("scale"):
                raise ValueError("low and high take the place of scale; leave it out")
        return self

    def ends(self, hidden_size: int) -> tuple[float, float]:
        """Where the interval begins and ends."""
        if self.low is not None and self.high is not None:
            return self.low, self.high
        bound = self.scale / hidden_size**0.5
        return -bound, bound


@INITIALIZERS.register("normal")
class NormalSettings(InitializerSettings):
    """Normal with mean 0."""

    type: Literal["normal"] = "normal"
    """Normal with mean 0."""

    std: Positive = 0.1
    """Standard deviation (0.1 in Greff et al. 2017)."""


@INITIALIZERS.register("xavier")
class XavierSettings(InitializerSettings):
    """Variance 2 / (columns + rows) of each block by itself (Glorot & Bengio 2010)."""

    matrices_only = True

    type: Literal["xavier"] = "xavier"
    """Variance 2 / (columns + rows) of each block by itself (Glorot & Bengio 2010)."""

    distribution: Literal["uniform", "normal"] = "uniform"
    """Shape of the distribution."""

    gain: Positive = 1.0
    """Factor of the standard deviation."""


@INITIALIZERS.register("kaiming")
class KaimingSettings(InitializerSettings):
    """Variance 2 / columns of each block by itself, for relu (He et al. 2015)."""

    matrices_only = True

    type: Literal["kaiming"] = "kaiming"
    """Variance 2 / columns of each block by itself, for relu (He et al. 2015)."""

    distribution: Literal["uniform", "normal"] = "uniform"
    """Shape of the distribution."""


@INITIALIZERS.register("orthogonal")
class OrthogonalSettings(InitializerSettings):
    """A random orthogonal matrix for each block by itself (Saxe et al. 2014); where a block is not square, its rows or
    its columns are orthonormal."""

    matrices_only = True

    type: Literal["orthogonal"] = "orthogonal"
    """A random orthogonal matrix for each block by itself (Saxe et al. 2014); where a block is not square, its rows or
    its columns are orthonormal."""

    gain: Positive = 1.0
    """Factor of the matrix."""


@INITIALIZERS.register("identity")
class IdentitySettings(InitializerSettings):
    """The identity matrix, or a multiple of it, for each block by itself (Le et al. 2015); a block that is not square
    has the number on its diagonal and zeros elsewhere."""

    matrices_only = True

    type: Literal["identity"] = "identity"
    """The identity matrix, or a multiple of it, for each block by itself (Le et al. 2015); a block that is not square
    has the number on its diagonal and zeros elsewhere."""

    scale: Finite = 1.0
    """Number on the diagonal."""


@INITIALIZERS.register("chrono")
class ChronoSettings(InitializerSettings):
    """The logarithm of a number uniform from 1 to longest - 1, for the bias of a gate that keeps.

    Its units then forget within 2 to `longest` steps (Tallec & Ollivier, "Can recurrent neural networks warp time?",
    arXiv 1804.11188v1, 2018).
    """

    everywhere = False

    type: Literal["chrono"] = "chrono"
    """The logarithm of a number uniform from 1 to longest - 1, for the bias of a gate that keeps (Tallec & Ollivier
    2018)."""

    longest: Annotated[float, Field(gt=2, allow_inf_nan=False)]
    """Steps that the longest dependency spans."""


@INITIALIZERS.register("constant")
class ConstantStartSettings(InitializerSettings):
    """The same number everywhere."""

    everywhere = False

    type: Literal["constant"] = "constant"
    """The same number everywhere."""

    value: Finite
    """The number."""


if TYPE_CHECKING:
    AnyInitializer = InitializerSettings
    WholeInitializer = InitializerSettings
else:

    def _as_settings(value: str | float | InitializerSettings) -> InitializerSettings:
        if isinstance(value, str):
            return INITIALIZERS[value]()
        return value if isinstance(value, InitializerSettings) else ConstantStartSettings(value=value)

    def _named(ways: dict[str, type[InitializerSettings]]) -> object:
        """The names of those that need no options."""
        needy = [name for name, way in ways.items() if any(field.is_required() for field in way.model_fields.values())]
        return Literal[tuple(name for name in ways if name not in needy)]

    def _all() -> dict[str, type[InitializerSettings]]:
        return dict(INITIALIZERS.items())

    def _whole() -> dict[str, type[InitializerSettings]]:
        return {name: way for name, way in INITIALIZERS.items() if way.everywhere}

    AnyInitializer = Annotated[
        _named(_all()) | Finite | Annotated[InitializerSettings, ChosenBy("type", _all)],
        AfterValidator(_as_settings),
    ]
    """A settings field with one way to start: its name, a number for a constant, or its options with its `type`."""

    WholeInitializer = Annotated[
        _named(_whole()) | Annotated[InitializerSettings, ChosenBy("type", _whole)],
        AfterValidator(_as_settings),
    ]
    """The same for a whole model: its name, or its options with its `type`."""
