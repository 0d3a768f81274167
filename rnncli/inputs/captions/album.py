"""Images of a folder or a zip, by name."""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from rnncli.errors import DataError, MissingExtra, nearest
from rnncli.inputs.members import Members

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".ppm", ".pgm", ".tif", ".tiff")
"""The suffixes of images."""


class Album:
    """The images below a folder or in a zip, which is read where it lies.

    Attributes:
        names: of all images, with the folders they are in, in order.

    Raises:
        DataError: there is no such folder or zip, or no image in it.
    """

    def __init__(self, path: Path) -> None:
        self.path, self._members = path, Members(path)
        self.names = [name for name in self._members.names if PurePosixPath(name).suffix.lower() in SUFFIXES]
        if not self.names:
            raise DataError(f"has no images ({', '.join(SUFFIXES)})", path)
        self._by_name = _shortest(self.names)

    def find(self, name: str) -> str:
        """The image of that name: all of it, or without folders where no other one has it.

        Raises:
            LookupError: there is none; a sentence with the nearest.
        """
        return look_up(name, self._by_name, self.path)

    def file(self, name: str) -> Path:
        """Where the image that `find` finds lies."""
        return self._members.file(self.find(name))

    def decode(self, name: str, size: tuple[int, int]) -> tuple[np.ndarray, bool]:
        """The pixels of an image, (3, height, width) uint8, and whether it had another size.

        Raises:
            DataError: it can't be decoded.
        """
        return decode(self._members.read(name), size, self._members.place(name))


def decode(content: bytes, size: tuple[int, int], place: str) -> tuple[np.ndarray, bool]:
    """The pixels of an image file, (3, height, width) uint8, upright, and whether it had another size.

    Args:
        size: height and width.

    Raises:
        DataError: it can't be decoded.
        MissingExtra: Pillow is absent.
    """
    image_module, operations = _pillow()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # A few bytes may claim any number of pixels.
            warnings.simplefilter("error", image_module.DecompressionBombWarning)
            with image_module.open(io.BytesIO(content)) as image:
                upright = operations.exif_transpose(image).convert("RGB")
    except (image_module.DecompressionBombError, image_module.DecompressionBombWarning):
        raise DataError(f"has more pixels than the {image_module.MAX_IMAGE_PIXELS:,} that are decoded", place) from None
    except (OSError, SyntaxError, ValueError, EOFError, struct.error) as error:
        reason = "it is no image" if isinstance(error, image_module.UnidentifiedImageError) else str(error)
        raise DataError(f"can't be decoded as an image ({reason})", place) from None
    height, width = size
    other = upright.size != (width, height)
    if other:
        upright = upright.resize((width, height), image_module.Resampling.LANCZOS)
    return np.asarray(upright).transpose(2, 0, 1), other


def as_png(pixels: np.ndarray) -> bytes:
    """A PNG file of (3, height, width) uint8.

    Raises:
        MissingExtra: Pillow is absent.
    """
    image_module, _ = _pillow()
    content = io.BytesIO()
    image_module.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0))).save(content, "PNG")
    return content.getvalue()


def look_up(name: str, by_name: Mapping[str, str], path: Path) -> str:
    """The entry of a name, or a LookupError with a sentence."""
    try:
        return by_name[PurePosixPath(name).as_posix()]
    except KeyError:
        close = nearest(name, by_name)
        hint = f"; the nearest is {close}" if close else ""
        raise LookupError(f"there is no image {name!r} in {path}{hint}") from None


def _shortest(names: Iterable[str]) -> dict[str, str]:
    """Names, and those without folders that only one image has, to whole names."""
    bare: dict[str, str | None] = {}
    whole = {name: name for name in names}
    for name in whole:
        short = PurePosixPath(name).name
        bare[short] = None if short in bare else name
    return {short: name for short, name in bare.items() if name is not None} | whole


def _pillow() -> tuple[Any, Any]:
    try:
        from PIL import Image, ImageOps
    except ImportError:
        raise MissingExtra("Pillow", "images", "reading images") from None
    return Image, ImageOps
