"""Arrays as the compiled core takes them; shapes are refused by name."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, SupportsFloat, SupportsIndex

import numpy as np

from crossmargin.errors import OutOfRangeError, ShapeError, UnknownWordError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

_TABLE = 2


def numbers(name: str, values: npt.ArrayLike) -> Floats:
    """Return `values` as one column of float64."""
    column = _floats(name, values)
    if column.ndim != 1:
        raise ShapeError(f"{name} must have one dimension, had {column.ndim}")
    return column


def optional(name: str, values: npt.ArrayLike | None) -> Floats | None:
    """Return the same of values that may be left out."""
    return None if values is None else numbers(name, values)


def table(name: str, values: npt.ArrayLike) -> tuple[Floats, int]:
    """Return a table row by row, and how many columns it has."""
    rows = _floats(name, values)
    if rows.ndim != _TABLE:
        raise ShapeError(f"{name} must have rows and columns, had {rows.ndim} dimensions")
    return rows.ravel(), rows.shape[1]


def square(name: str, values: npt.ArrayLike) -> tuple[Floats, int]:
    """Return a square matrix row by row, and its size."""
    matrix = _floats(name, values)
    if matrix.ndim != _TABLE or matrix.shape[0] != matrix.shape[1]:
        raise ShapeError(f"{name} must be a square matrix, had the shape {matrix.shape}")
    return matrix.ravel(), matrix.shape[0]


def whole(name: str, value: SupportsIndex | SupportsFloat) -> int:
    """Return a count."""
    try:
        count = operator.index(value)  # type: ignore[arg-type]  # a float raises, as is meant
    except TypeError:
        exact = float(value)
        if not exact.is_integer():
            raise OutOfRangeError(f"{name} must be a whole number, was {value}") from None
        count = int(exact)
    if count < 0:
        raise OutOfRangeError(f"{name} must be at least 0, was {value}")
    return count


def word(name: str, value: str, known: Sequence[str]) -> str:
    """Return a word of a vocabulary."""
    if value not in known:
        raise UnknownWordError(f"unknown {name} '{value}'; known: {', '.join(known)}")
    return value


def _floats(name: str, values: npt.ArrayLike) -> Floats:
    try:
        return np.ascontiguousarray(values, dtype=np.float64)
    except (TypeError, ValueError) as problem:
        raise ShapeError(f"{name} must be numbers in an array: {problem}") from None
