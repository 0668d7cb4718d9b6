"""Joint moves of risk factors, drawn at random."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from crossmargin import _core
from crossmargin.statistics._coerce import Floats, square, whole, word

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["factor_moves"]

_SAMPLERS = ("plain", "sobol")


def factor_moves(
    covariance: npt.ArrayLike,
    paths: int,
    *,
    seed: int,
    degrees_of_freedom: float | None = None,
    sampler: Literal["plain", "sobol"] = "plain",
    antithetic: bool = False,
    threads: int | None = None,
) -> Floats:
    """Return joint log moves of risk factors over one horizon, mean zero.

    A number is a function of seed, path and factor alone: more paths or factors leave those before
    them as they were, and the same arguments give the same bits on any number of threads and on
    every instruction set with fused multiply-add.

    Parameters
    ----------
    covariance
        Of the horizon, shape ``(N, N)``; it may be singular.
    paths
        Number of paths.
    seed
        From 0 to 2^64 - 1.
    degrees_of_freedom
        Of a multivariate Student law with the same covariance, above 2 and at most 1000; normal if
        left out.
    sampler
        `plain` numbers, or scrambled `sobol` points, best with a power of two of paths: their
        error is about half.
    antithetic
        Every second path mirrors the one before it. Good for means, of no use for tails.
    threads
        Most workers; all processors if left out.

    Returns
    -------
    numpy.ndarray
        Moves by factor and path, shape ``(N, paths)``.

    Raises
    ------
    OutOfRangeError, NoAnswerError, NotCoveredError, ShapeError, UnknownWordError
        For a number outside its range, a covariance with a negative eigenvalue, antithetic Sobol
        points, moves that do not fit into memory.

    Examples
    --------
    >>> moves = factor_moves([[0.04, 0.03], [0.03, 0.09]], 4096, seed=7, sampler="sobol")
    >>> moves.shape, moves.std(axis=1).round(2).tolist()
    ((2, 4096), [0.2, 0.3])
    """
    matrix, size = square("covariance", covariance)
    found = _core.factor_moves(
        matrix,
        size,
        whole("paths", paths),
        whole("seed", seed),
        degrees_of_freedom,
        word("sampler", sampler, _SAMPLERS) == "sobol",
        antithetic,
        threads,
    )
    return found.reshape(size, -1)
