"""How parameters start. Nothing here needs torch; `weights` draws them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from rnncli.config.settings import Settings
from rnncli.registry import Registry


class InitializerSettings(Settings):
    """How the numbers of a block of parameters are drawn."""

    type: str
    """Name of the way."""


INITIALIZERS: Registry[type[InitializerSettings]] = Registry("initializer")


@INITIALIZERS.register("uniform")
class UniformSettings(InitializerSettings):
    """Uniform within ±scale / sqrt(hidden_size)."""

    type: Literal["uniform"] = "uniform"
    """Uniform within ±scale / sqrt(hidden_size); with a scale of 1 what torch.nn does."""

    scale: Annotated[float, Field(gt=0)] = 1.0
    """Half the width of the interval, in units of 1 / sqrt(hidden_size)."""


@INITIALIZERS.register("normal")
class NormalSettings(InitializerSettings):
    """Normal with mean 0."""

    type: Literal["normal"] = "normal"
    """Normal with mean 0."""

    std: Annotated[float, Field(gt=0)] = 0.1
    """Standard deviation (0.1 in Greff et al. 2017)."""


@INITIALIZERS.register("xavier")
class XavierSettings(InitializerSettings):
    """Variance 2 / (columns + rows) of each block by itself (Glorot & Bengio 2010)."""

    type: Literal["xavier"] = "xavier"
    """Variance 2 / (columns + rows) of each block by itself (Glorot & Bengio 2010)."""

    distribution: Literal["uniform", "normal"] = "uniform"
    """Shape of the distribution."""

    gain: Annotated[float, Field(gt=0)] = 1.0
    """Factor of the standard deviation."""


@INITIALIZERS.register("kaiming")
class KaimingSettings(InitializerSettings):
    """Variance 2 / columns of each block by itself, for relu (He et al. 2015)."""

    type: Literal["kaiming"] = "kaiming"
    """Variance 2 / columns of each block by itself, for relu (He et al. 2015)."""

    distribution: Literal["uniform", "normal"] = "uniform"
    """Shape of the distribution."""


@INITIALIZERS.register("orthogonal")
class OrthogonalSettings(InitializerSettings):
    """A random orthogonal matrix for each block by itself (Saxe et al. 2014)."""

    type: Literal["orthogonal"] = "orthogonal"
    """A random orthogonal matrix for each block by itself (Saxe et al. 2014)."""

    gain: Annotated[float, Field(gt=0)] = 1.0
    """Factor of the matrix."""


@INITIALIZERS.register("identity")
class IdentitySettings(InitializerSettings):
    """The identity matrix, or a multiple of it, for each block by itself (Le et al. 2015)."""

    type: Literal["identity"] = "identity"
    """The identity matrix, or a multiple of it, for each block by itself (Le et al. 2015)."""

    scale: float = 1.0
    """Number on the diagonal."""


@INITIALIZERS.register("constant")
class ConstantSettings(InitializerSettings):
    """The same number everywhere."""

    type: Literal["constant"] = "constant"
    """The same number everywhere."""

    value: float
    """The number."""
