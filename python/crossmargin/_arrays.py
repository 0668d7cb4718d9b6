"""Arrays of the types that the core borrows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["integers", "numbers"]


def numbers(values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    return np.ascontiguousarray(values, dtype=np.float64)


def integers(name: str, values: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Return int64, refusing fractions that a cast would drop."""
    array = np.asarray(values)
    if array.size and array.dtype.kind not in "iub":
        raise TypeError(f"{name} must hold integers, held {array.dtype}")
    return np.ascontiguousarray(array, dtype=np.int64)
