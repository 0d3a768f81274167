"""Features of images that another network has made, by the names of the images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from rnncli.errors import DataError
from rnncli.inputs import tables
from rnncli.inputs.arrays import read_npy
from rnncli.inputs.captions.album import look_up
from rnncli.inputs.captions.reading import table
from rnncli.inputs.captions.settings import CaptionsSettings
from rnncli.inputs.files import OnBadRow, lines, open_binary, suffix
from rnncli.inputs.frame import is_frame
from rnncli.inputs.numbers import number

if TYPE_CHECKING:
    import pandas as pd


class Vectors:
    """Numbers of images.

    Attributes:
        names: of the images, in order.
        values: (images, regions, numbers) float32.
    """

    def __init__(self, names: list[str], values: np.ndarray, path: Path) -> None:
        self.names, self.values, self.path = names, values, path
        self.rows = {name: row for row, name in enumerate(names)}
        self._by_name = {name: name for name in names}

    def find(self, name: str) -> str:
        """The image of that name.

        Raises:
            LookupError: there is none; a sentence with the nearest.
        """
        return look_up(name, self._by_name, self.path)


def read_array(path: Path) -> np.ndarray:
    """(images, regions, numbers) float32 of a .npy.

    Raises:
        DataError: it is none, or of another shape, or has numbers that are not finite.
    """
    with open_binary(path) as file:
        values = read_npy(file, path)
    if values.ndim not in (2, 3) or 0 in values.shape:
        raise DataError(
            f"has the shape {values.shape}; (images, numbers) or (images, regions, numbers) is needed, none of them 0",
            path,
        )
    return values.astype(np.float32).reshape(len(values), -1, values.shape[-1])


def read_vectors(path: Path, settings: CaptionsSettings, on_bad_row: OnBadRow) -> Vectors:
    """The features that `data.images` names.

    Raises:
        DataError: they can't be used.
    """
    if suffix(path) == ".npy":
        values = read_array(path)
        assert settings.names is not None
        names = [name for _, text in lines(settings.names, settings.encoding) if (name := text.strip())]
        if len(names) != len(values):
            raise DataError(f"has {len(names)} names, {path.name} has {len(values)} images", settings.names)
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise DataError(f"has the name {twice} twice", settings.names)
        return Vectors(names, values, path)
    return read_table(path, settings, on_bad_row)


def read_table(source: Path | BinaryIO | pd.DataFrame, settings: CaptionsSettings, on_bad_row: OnBadRow) -> Vectors:
    """The features of a table: every column but that of the image and of the caption is a number."""
    path = source if isinstance(source, Path) else Path("the frame" if is_frame(source) else "standard input")
    form = tables.format_of(path) or "csv"
    found: dict[str, list[float]] = {}
    columns: list[str] | None = None
    for row in table(source, form, settings, False, on_bad_row):
        own = [column for column in row.own if column not in (settings.image, settings.target.column)]
        columns = columns or own
        try:
            if not own:
                raise ValueError("has no columns but that of the image, so no numbers")
            if own != columns:
                raise ValueError(f"has {len(own)} columns of numbers, where the first row has {len(columns)}")
            if row.name in found:
                raise ValueError(f"names image {row.name} a second time")
            found[row.name] = [number(row.own[column], column) for column in own]
        except ValueError as error:
            on_bad_row(DataError(str(error), row.source, row.line))
    if not found:
        raise DataError("has no image that can be used", path)
    return Vectors([*found], np.array([*found.values()], np.float32)[:, None], path)
