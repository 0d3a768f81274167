"""Text -> checked values: configs are read, written, described here, and nothing is trained."""

from rnncli.config.describing import Option, options, schema
from rnncli.config.paths import InputPath, InputPaths
from rnncli.config.reading import read
from rnncli.config.settings import Settings
from rnncli.config.writing import write

__all__ = ["InputPath", "InputPaths", "Option", "Settings", "options", "read", "schema", "write"]
