"""The elementwise functions of runtime/vector.h against more digits, at every width of a vector."""

import ctypes
import math
import mmap
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

import rnncli

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler `cc` on PATH")

RUNTIME = Path(rnncli.__file__).parent / "engines" / "native" / "runtime"
SOURCE = """
#include "vector.h"
#define LOOP(name) \\
    void each_##name(const REAL *from, REAL *to, long count) { \\
        for (long i = 0; i < count; i += WIDTH) { \\
            V value = load_part(from + i, count - i); \\
            store_part(to + i, v_##name(value), count - i); \\
        } \\
    }
LOOP(sigmoid) LOOP(tanh) LOOP(relu) LOOP(positive)
void part(const REAL *from, REAL *to, REAL *whole, long count) {
    V value = load_part(from, count);
    store(whole, value);
    store_part(to, value, count);
}
void each_all(const REAL *from, REAL *to, long count) { store_part(to, all(*from), count); }
long width(void) { return WIDTH; }
"""
LARGEST_ERROR = 3
"""In units in the last place. The header states at most 2.7; the rest is for other compilers' order of operations."""


def compiled(folder, real, vector_bytes):
    (folder / "functions.c").write_text(SOURCE)
    flags = ["-O2", "-march=native", "-fno-math-errno", "-fno-trapping-math", "-std=gnu11"]
    as_library = ["-shared", "-fPIC", "-Wno-psabi"]
    sizes = [f"-DREAL={real}", f"-DVECTOR_BYTES={vector_bytes}", f"-I{RUNTIME}"]
    subprocess.run(["cc", *flags, *as_library, *sizes, "functions.c", "-o", "functions.so"], cwd=folder, check=True)
    return ctypes.CDLL(str(folder / "functions.so"))


class Functions:
    """A compiled wrapper; called with the name of a function and an array."""

    def __init__(self, library, dtype):
        self.library = library
        self.dtype = dtype
        self.width = library.width()

    def __call__(self, name, x):
        x = np.ascontiguousarray(x, self.dtype)
        y = np.empty_like(x)
        getattr(self.library, f"each_{name}")(pointer(x), pointer(y), ctypes.c_long(len(x)))
        return y


def pointer(array):
    return ctypes.c_void_p(array.ctypes.data)


@pytest.fixture(scope="module", params=[f"{real}-{size}" for real in ("float", "double") for size in (16, 32, 64)])
def functions(request, tmp_path_factory):
    real, size = request.param.split("-")
    dtype = np.dtype({"float": np.float32, "double": np.float64}[real])
    made = Functions(compiled(tmp_path_factory.mktemp("functions"), real, size), dtype)
    assert made.width == int(size) // dtype.itemsize
    return made


def inputs(dtype):
    """Both signs, every magnitude of normal numbers, and densely where the functions bend or end."""
    random = np.random.default_rng(5)
    info = np.finfo(dtype)
    end = -math.log(info.tiny)
    magnitudes = np.concatenate(
        [
            2 ** random.uniform(info.minexp, info.maxexp, 30_000),
            2 ** random.uniform(-12, 5, 100_000),
            random.uniform(0, 22, 100_000),
            random.uniform(0, end + 3, 50_000),
            end * (1 + info.eps * np.arange(-2000, 2000)),
        ]
    )
    return (magnitudes * random.choice([-1, 1], len(magnitudes))).astype(dtype)


def exact(name, x):
    """With more digits than x has: float64 for float32, 80 bits for float64."""
    wider = np.float64 if x.dtype == np.float32 else np.longdouble
    if np.finfo(wider).nmant <= np.finfo(x.dtype).nmant + 8:
        pytest.skip("numpy.longdouble has no more digits than float64 on this processor")
    x = x.astype(wider)
    if name == "tanh":
        return np.tanh(x)
    e = np.exp(-abs(x))
    return np.where(x < 0, e, 1) / (1 + e)


@pytest.mark.parametrize("name", ["sigmoid", "tanh"])
def test_error_at_every_magnitude(functions, name):
    x = inputs(functions.dtype)
    wanted = exact(name, x)
    found = functions(name, x)
    tiny = np.finfo(functions.dtype).tiny
    normal = abs(wanted) > tiny * 1.001  # nearer to the edge either answer is right: the number or 0
    unit = np.spacing(abs(wanted[normal]).astype(functions.dtype))
    assert max(abs(found[normal] - wanted[normal]) / unit) <= LARGEST_ERROR
    if name == "sigmoid":
        assert np.count_nonzero(wanted < tiny) > 1000
        assert not found[wanted < tiny].any()
        assert not np.any((found > 0) & (found < tiny))


@pytest.mark.parametrize(
    ("name", "results"),
    [
        ("sigmoid", [0, 0, 0.5, 0.5, 1, 1, 1]),
        ("tanh", [-1, -1, -0.0, 0.0, 1, 1, 1]),
        ("relu", [0, 0, -0.0, 0.0, 50, 1e30, np.inf]),
        ("positive", [0, 0, 0, 0, 1, 1, 1]),
    ],
)
def test_special_values(functions, name, results):
    x = np.array([-np.inf, -1e30, -0.0, 0.0, 50, 1e30, np.inf], functions.dtype)
    found = functions(name, x)
    wanted = np.array(results, functions.dtype)
    np.testing.assert_array_equal(found, wanted)
    np.testing.assert_array_equal(np.signbit(found), np.signbit(wanted))
    assert np.isnan(functions(name, [np.nan, -np.nan])).all()


def test_relu_and_its_slope_at_random_values(functions):
    x = np.append(np.random.default_rng(3).standard_normal(999), [np.nan, -0.0, 0.0]).astype(functions.dtype)
    np.testing.assert_array_equal(functions("relu", x), torch.relu(torch.from_numpy(x)).numpy())
    np.testing.assert_array_equal(functions("positive", x), np.where(np.isnan(x), x, x > 0))


def test_tanh_is_odd_and_keeps_the_smallest_numbers(functions):
    x = inputs(functions.dtype)
    np.testing.assert_array_equal(functions("tanh", -x), -functions("tanh", x))
    smallest = np.finfo(functions.dtype).smallest_subnormal * np.array([1, 2, 77, -5])
    np.testing.assert_array_equal(functions("tanh", smallest), smallest.astype(functions.dtype))


def test_subnormals_of_the_process_stay(functions):
    functions("sigmoid", inputs(functions.dtype))
    assert float("1e-310") * 0.5 == 5e-311
    assert np.array([1e-310]).sum() > 0


def test_a_number_is_spread_with_its_sign(functions):
    for number in (-0.0, 2.5):
        spread = functions("all", np.full(functions.width, number))
        np.testing.assert_array_equal(spread, number)
        np.testing.assert_array_equal(np.signbit(spread), np.signbit(number))


def test_part_of_a_vector(functions):
    width = functions.width
    random = np.random.default_rng(7)
    for count in range(width + 3):
        source, before = random.standard_normal((2, width + 3)).astype(functions.dtype)
        target, whole = before.copy(), np.full(width, np.nan, functions.dtype)
        functions.library.part(pointer(source), pointer(target), pointer(whole), ctypes.c_long(count))
        stored = min(count, width)
        np.testing.assert_array_equal(whole, np.append(source[:stored], np.zeros(width - stored)))
        np.testing.assert_array_equal(target, np.append(source[:stored], before[stored:]))


def test_part_at_the_end_of_the_memory_of_a_process(functions):
    """A touch of what lies beyond would end the process."""
    memory = mmap.mmap(-1, 2 * mmap.PAGESIZE)
    page = np.frombuffer(memory, functions.dtype, mmap.PAGESIZE // functions.dtype.itemsize)
    beyond = ctypes.c_void_p(page.ctypes.data + mmap.PAGESIZE)
    protect = ctypes.CDLL(None).mprotect
    assert protect(beyond, ctypes.c_size_t(mmap.PAGESIZE), 0) == 0
    page[:] = np.random.default_rng(2).standard_normal(len(page))
    whole = np.empty(functions.width, functions.dtype)
    for count in range(functions.width + 1):
        end = page[len(page) - count :]
        values = end.copy()
        address = ctypes.c_void_p(page.ctypes.data + mmap.PAGESIZE - values.nbytes)
        functions.library.part(address, address, pointer(whole), ctypes.c_long(count))
        np.testing.assert_array_equal(whole[:count], values)
        np.testing.assert_array_equal(end, values)
