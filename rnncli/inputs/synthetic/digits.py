"""Small handwritten digits, read pixel by pixel."""

from __future__ import annotations

import numpy as np

from rnncli.errors import MissingExtra
from rnncli.inputs.loader import SplitName
from rnncli.inputs.synthetic.drawn import Drawn, generator

PIXELS = 64
SIZES = {"train": 1197, "valid": 300, "test": 300}
"""Images of each part."""

TARGETS = tuple(map(str, range(10)))


def digits(seed: int, part: SplitName, permuted: bool = False) -> Drawn:
    """Images of 8 x 8 pixels as sequences of 64 numbers; which digit it is. These are not the images of MNIST.

    Generator: the 1,797 images that scikit-learn ships (the test set of Alpaydin & Kaynak, "Optical recognition of
        handwritten digits", UCI 1998), row by row from the top left, a pixel of 0 to 16 divided by 16; mixed by the
        seed, then 300 for the test, 300 for validation and the rest to train on. With `permuted` the pixels of all
        images are read in one order that the seed draws.
    Scoring: accuracy of the class at the end of the sequence.
    Baseline: about 0.1.
    Ceiling: 1; nearest neighbours find about 0.985.
    Papers: a small stand-in for sequential MNIST (784 steps) of Le, Jaitly & Hinton, "A simple way to initialize
        recurrent networks of rectified linear units" (2015): figures of the two can't be compared.
    Left open: the split; writers are not kept apart, so that test images may be of a hand known from training.

    Returns:
        inputs (images, 64, 1); targets (images,).

    Raises:
        MissingExtra: scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise MissingExtra("scikit-learn", "digits", "data.name: digits") from None
    images, classes = load_digits(return_X_y=True)
    mixed = generator(seed, "digits", "images").permutation(len(images))
    test, valid, train = np.split(mixed, [SIZES["test"], SIZES["test"] + SIZES["valid"]])
    rows = {"train": train, "valid": valid, "test": test}[part]
    order = generator(seed, "digits", "pixels").permutation(PIXELS) if permuted else np.arange(PIXELS)
    pixels = (images[rows][:, order] / 16).astype(np.float32)
    return Drawn(pixels[:, :, None], classes[rows].astype(np.int8))
