"""Correlation matrices: checked, repaired, stressed, and how far they have moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from crossmargin import _core
from crossmargin.statistics._coerce import Floats, optional, square, word

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = [
    "RepairedCorrelation",
    "check_correlation",
    "correlation_change",
    "nearest_correlation",
    "smallest_eigenvalue",
    "spectral_correlation",
    "stressed_correlation",
]

_TARGETS = ("one", "zero")


@dataclass(frozen=True)
class RepairedCorrelation:
    """A correlation matrix near another matrix.

    Parameters
    ----------
    correlation
        The matrix, shape ``(N, N)``.
    distance
        Frobenius norm of the difference to the matrix given.
    iterations
        Steps that it took; 0 where the matrix given was one already.
    """

    correlation: Floats
    distance: float
    iterations: int


def check_correlation(correlation: npt.ArrayLike) -> float:
    """Return the smallest eigenvalue of a correlation matrix, or refuse what is none.

    Parameters
    ----------
    correlation
        Shape ``(N, N)``: finite, symmetric, ones on the diagonal, from -1 to 1, and possible: no
        eigenvalue below zero.

    Raises
    ------
    OutOfRangeError, NoAnswerError, ShapeError
        For anything else; they name row and column, or the smallest eigenvalue.

    Examples
    --------
    >>> round(check_correlation([[1, 0.4], [0.4, 1]]), 12)
    0.6
    """
    return _core.check_correlation(*square("correlation", correlation))


def smallest_eigenvalue(matrix: npt.ArrayLike) -> float:
    """Return the smallest eigenvalue of a symmetric matrix; below zero it is no covariance.

    Parameters
    ----------
    matrix
        Shape ``(N, N)``.

    Raises
    ------
    OutOfRangeError, NoAnswerError, ShapeError
        For a number that is not finite, or a matrix that is not square and symmetric.

    Examples
    --------
    >>> round(smallest_eigenvalue([[1, 2], [2, 1]]), 12)
    -1.0
    """
    return _core.smallest_eigenvalue(*square("matrix", matrix))


def nearest_correlation(
    matrix: npt.ArrayLike, *, smallest_eigenvalue: float = 0.0
) -> RepairedCorrelation:
    """Return the correlation matrix nearest to a symmetric matrix in the Frobenius norm.

    Alternating projections with Dykstra's correction (Higham 2002).

    Parameters
    ----------
    matrix
        Shape ``(N, N)``.
    smallest_eigenvalue
        What eigenvalues are raised to at the end where a matrix is needed that can be inverted;
        the nearest one is singular.

    Raises
    ------
    OutOfRangeError, NoAnswerError, ShapeError
        For a number outside its range, or a matrix that is not square and symmetric.

    Examples
    --------
    >>> nearest_correlation([[1, 1, 0], [1, 1, 1], [0, 1, 1]]).correlation[0].round(4).tolist()
    [1.0, 0.7607, 0.1573]
    """
    flat, size = square("matrix", matrix)
    found, distance, steps = _core.repaired_correlation(flat, size, smallest_eigenvalue, False)
    return RepairedCorrelation(found.reshape(size, size), distance, steps)


def spectral_correlation(
    matrix: npt.ArrayLike, *, smallest_eigenvalue: float = 0.0
) -> RepairedCorrelation:
    """Return a correlation matrix by the spectral method (Rebonato and Jaeckel 1999).

    Eigenvalues are raised to the floor, then the diagonal is scaled to ones: fast, not the nearest.

    Parameters
    ----------
    matrix
        Shape ``(N, N)``.
    smallest_eigenvalue
        The floor; scaling may leave eigenvalues a little below it.

    Raises
    ------
    OutOfRangeError, NoAnswerError, ShapeError
        As `nearest_correlation`.

    Examples
    --------
    >>> spectral_correlation([[1, 1, 0], [1, 1, 1], [0, 1, 1]]).correlation[0].round(4).tolist()
    [1.0, 0.7395, 0.0938]
    """
    flat, size = square("matrix", matrix)
    found, distance, steps = _core.repaired_correlation(flat, size, smallest_eigenvalue, True)
    return RepairedCorrelation(found.reshape(size, size), distance, steps)


def stressed_correlation(
    correlation: npt.ArrayLike,
    share: float,
    *,
    towards: Literal["one", "zero"] = "one",
    signs: npt.ArrayLike | None = None,
    target: npt.ArrayLike | None = None,
) -> Floats:
    """Return correlations moved towards a target, `(1 - share) R + share T`.

    Evaluate a book under several: diversification fails where correlations go to one, hedges where
    they go to zero or change sign.

    Parameters
    ----------
    correlation
        Shape ``(N, N)``.
    share
        From 0 to 1.
    towards
        `one`: everything moves together; `zero`: everything moves by itself.
    signs
        In its place, -1 or 1 per factor: two groups that move against each other.
    target
        In its place, another correlation matrix. The result is possible if both are.

    Raises
    ------
    OutOfRangeError, NoAnswerError, ShapeError, UnknownWordError
        For a share outside its range, a matrix that is no correlation, other shapes.

    Examples
    --------
    >>> stressed_correlation([[1, 0.6], [0.6, 1]], 0.5).round(6).tolist()
    [[1.0, 0.8], [0.8, 1.0]]
    """
    matrix, size = square("correlation", correlation)
    found = _core.stressed_correlation(
        matrix,
        size,
        share,
        word("towards", towards, _TARGETS) == "one",
        optional("signs", signs),
        None if target is None else square("target", target)[0],
    )
    return found.reshape(size, size)


def correlation_change(fast: float, slow: float, *, effective_observations: float) -> float:
    """Return how far a fast estimate of a correlation is from a slow one, in standard deviations.

    Fisher's z: `sqrt(n - 3) (atanh fast - atanh slow)`; beyond 3 either way it has changed.

    Parameters
    ----------
    fast, slow
        Two estimates, above -1 and below 1.
    effective_observations
        What the fast estimate is worth, above 3: about `(1 + decay) / (1 - decay)`.

    Raises
    ------
    OutOfRangeError
        For a number outside its range.

    Examples
    --------
    >>> round(correlation_change(0.9, 0.6, effective_observations=32), 4)
    4.1954
    """
    return _core.correlation_change(fast, slow, effective_observations)
