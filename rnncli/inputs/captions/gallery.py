"""The images that some captions speak of, each once in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from rnncli.errors import DataError
from rnncli.inputs.captions.album import Album
from rnncli.inputs.captions.reading import Captioned
from rnncli.inputs.captions.vectors import Vectors
from rnncli.inputs.files import OnBadRow

Taken = list[tuple[Captioned, int]]
"""Captioned images, each with the row at which its pixels or features stand."""


def look(
    parts: Iterable[Sequence[Captioned]], source: Album | Vectors, size: tuple[int, int], on_bad_row: OnBadRow
) -> tuple[list[Taken], Tensor, int]:
    """Reads every image that some parts name, each once.

    Args:
        size: height and width of images.

    Returns:
        The images of each part that can be used; (images, 1, 3, height, width) uint8, or features (images, regions,
        numbers) float32; and how many images had another size.
    """
    found = [list(_found(part, source, on_bad_row)) for part in parts]
    entries = dict.fromkeys(entry for part in found for _, entry in part)
    if isinstance(source, Vectors):
        rows = {entry: row for row, entry in enumerate(entries)}
        values = source.values[[source.rows[entry] for entry in entries]]
        resized = 0
    else:
        rows, values, resized = _decoded(entries, source, size, on_bad_row)
    taken = [[(image, rows[entry]) for image, entry in part if entry in rows] for part in found]
    return taken, torch.from_numpy(values), resized


def _found(part: Iterable[Captioned], source: Album | Vectors, on_bad_row: OnBadRow) -> Iterator[tuple[Captioned, str]]:
    for image in part:
        try:
            yield image, source.find(image.name)
        except LookupError as error:
            on_bad_row(DataError(str(error.args[0]), image.source, image.line))


def _decoded(
    entries: Iterable[str], source: Album, size: tuple[int, int], on_bad_row: OnBadRow
) -> tuple[dict[str, int], np.ndarray, int]:
    entries = list(entries)
    try:
        pixels = np.empty((len(entries), 1, 3, *size), np.uint8)
    except MemoryError:
        height, width = size
        raise DataError(
            f"{len(entries)} images of {height} x {width} pixels (data.size) take "
            f"{len(entries) * 3 * height * width / 2**30:.1f} GiB of memory, more than there is",
            source.path,
        ) from None
    rows: dict[str, int] = {}
    resized = 0
    for entry in entries:
        try:
            pixels[len(rows), 0], other = source.decode(entry, size)
        except DataError as bad:
            on_bad_row(bad)
            continue
        rows[entry] = len(rows)
        resized += other
    return rows, pixels[: len(rows)], resized
