"""Covariances of returns and their correlations, estimated; betas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from crossmargin import _core
from crossmargin.statistics._coerce import Floats, numbers, square, table, whole, word

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = [
    "Decomposed",
    "ShrunkCovariance",
    "beta",
    "blume_beta",
    "correlation_of",
    "covariance_of",
    "downside_beta",
    "ewma_covariance",
    "ewma_covariance_update",
    "ledoit_wolf",
    "sample_covariance",
]

_MEANS = ("sample", "zero")
_SHRUNK = ("covariance", "correlation")


@dataclass(frozen=True)
class Decomposed:
    """Volatilities, shape ``(N,)``, and correlation, shape ``(N, N)``, of a covariance."""

    volatilities: Floats
    correlation: Floats


@dataclass(frozen=True)
class ShrunkCovariance:
    """A shrunk matrix, shape ``(N, N)``, and how far it was moved, from 0 to 1."""

    intensity: float
    covariance: Floats


def sample_covariance(
    returns: npt.ArrayLike, *, mean: Literal["sample", "zero"] = "sample"
) -> Floats:
    """Return the covariance of returns.

    Parameters
    ----------
    returns
        One row per date, one column per factor, shape ``(T, N)``.
    mean
        `sample` takes their own mean away and divides by ``T - 1``; `zero` divides by ``T``: a
        trend over days is noise.

    Raises
    ------
    NoAnswerError, OutOfRangeError, ShapeError, UnknownWordError
        For too few rows, a return that is not finite, another shape or word.

    Examples
    --------
    >>> sample_covariance([[0.01, 0.02], [-0.01, 0.0]]).round(6).tolist()
    [[0.0002, 0.0002], [0.0002, 0.0002]]
    """
    rows, factors = table("returns", returns)
    found = _core.sample_covariance(rows, factors, word("mean", mean, _MEANS) == "zero")
    return found.reshape(factors, factors)


def ewma_covariance(returns: npt.ArrayLike, *, decay: float, start: int = 30) -> Floats:
    """Return the exponentially weighted covariance of returns, mean zero, for the next date.

    `Sigma <- decay Sigma + (1 - decay) r r'`, one decay for the whole matrix, which keeps it
    possible.

    Parameters
    ----------
    returns
        The oldest row first, shape ``(T, N)``.
    decay
        Above 0 and below 1; 0.97 to 0.99 for margins.
    start
        Rows whose covariance it starts from.

    Raises
    ------
    OutOfRangeError, NoAnswerError, ShapeError
        For a decay outside its range, fewer rows than `start`, another shape.

    Examples
    --------
    >>> ewma_covariance([[0.01], [0.03]], decay=0.9, start=1).round(6).tolist()
    [[0.00018]]
    """
    rows, factors = table("returns", returns)
    found = _core.ewma_covariance(rows, factors, decay, whole("start", start))
    return found.reshape(factors, factors)


def ewma_covariance_update(
    covariance: npt.ArrayLike, latest: npt.ArrayLike, *, decay: float
) -> Floats:
    """Return an exponentially weighted covariance after one more date.

    Parameters
    ----------
    covariance
        Before, shape ``(N, N)``.
    latest
        Returns of the date, shape ``(N,)``.
    decay
        Above 0 and below 1.

    Raises
    ------
    OutOfRangeError, NoAnswerError, ShapeError
        For a number outside its range, a matrix that is not symmetric, other shapes.

    Examples
    --------
    >>> ewma_covariance_update([[0.0001]], [0.03], decay=0.9).round(6).tolist()
    [[0.00018]]
    """
    matrix, size = square("covariance", covariance)
    found = _core.ewma_covariance_update(matrix, numbers("latest", latest), decay)
    return found.reshape(size, size)


def ledoit_wolf(
    returns: npt.ArrayLike, *, of: Literal["covariance", "correlation"] = "covariance"
) -> ShrunkCovariance:
    """Return Ledoit and Wolf's (2004) shrinkage of mean-centred returns towards the identity.

    Parameters
    ----------
    returns
        One row per date, shape ``(T, N)``, two rows at least.
    of
        `covariance` moves towards the mean variance times the identity, which lowers large
        variances and raises small ones; `correlation` leaves variances what they are, which is what
        margins want, and returns a correlation matrix.

    Raises
    ------
    NoAnswerError, OutOfRangeError, ShapeError, UnknownWordError
        For too few rows, a constant series (correlation), a return that is not finite.

    Examples
    --------
    >>> found = ledoit_wolf([[0.01, 0.02], [-0.02, 0.01], [0.0, -0.03]], of="correlation")
    >>> 0 <= found.intensity <= 1, found.covariance.diagonal().tolist()
    (True, [1.0, 1.0])
    """
    rows, factors = table("returns", returns)
    intensity, found = _core.ledoit_wolf(rows, factors, word("of", of, _SHRUNK) == "correlation")
    return ShrunkCovariance(intensity, found.reshape(factors, factors))


def correlation_of(covariance: npt.ArrayLike) -> Decomposed:
    """Return the volatilities and the correlation of a covariance.

    Parameters
    ----------
    covariance
        Shape ``(N, N)``.

    Raises
    ------
    NoAnswerError, OutOfRangeError, ShapeError
        For a variance that is not above zero, a covariance beyond what its variances allow, a
        matrix that is not square and symmetric.

    Examples
    --------
    >>> found = correlation_of([[0.04, 0.03], [0.03, 0.09]])
    >>> found.volatilities.tolist(), found.correlation[0].round(12).tolist()
    ([0.2, 0.3], [1.0, 0.5])
    """
    matrix, size = square("covariance", covariance)
    volatilities, correlation = _core.correlation_of(matrix, size)
    return Decomposed(volatilities, correlation.reshape(size, size))


def covariance_of(volatilities: npt.ArrayLike, correlation: npt.ArrayLike) -> Floats:
    """Return the covariance of volatilities and a correlation.

    Parameters
    ----------
    volatilities
        At least 0, shape ``(N,)``.
    correlation
        Shape ``(N, N)``.

    Raises
    ------
    OutOfRangeError, NoAnswerError, ShapeError
        For a number outside its range, a matrix that is no correlation, other shapes.

    Examples
    --------
    >>> covariance_of([0.2, 0.3], [[1, 0.5], [0.5, 1]]).round(6).tolist()
    [[0.04, 0.03], [0.03, 0.09]]
    """
    matrix, size = square("correlation", correlation)
    found = _core.covariance_of(numbers("volatilities", volatilities), matrix)
    return found.reshape(size, size)


def beta(asset: npt.ArrayLike, market: npt.ArrayLike) -> float:
    """Return the beta of an asset: covariance with the market over the market's variance.

    Parameters
    ----------
    asset, market
        Returns of the same dates, shape ``(T,)``.

    Raises
    ------
    NoAnswerError, OutOfRangeError, ShapeError
        For a market that does not vary, fewer than two returns, other lengths.

    Examples
    --------
    >>> beta([0.02, -0.02, 0.04], [0.01, -0.01, 0.02])
    2.0
    """
    return _core.beta(numbers("asset", asset), numbers("market", market))


def downside_beta(asset: npt.ArrayLike, market: npt.ArrayLike, *, quantile: float = 0.1) -> float:
    """Return the beta over the dates on which the market lies below its own lower quantile.

    Parameters
    ----------
    asset, market
        Returns of the same dates, shape ``(T,)``.
    quantile
        0.1 for the worst tenth.

    Raises
    ------
    NoAnswerError, OutOfRangeError, ShapeError
        As `beta` for those dates, or for a history too short for the quantile.

    Examples
    --------
    >>> market = [day / 1000 for day in range(-50, 50)]
    >>> round(downside_beta([min(2 * r, r) for r in market], market), 12)
    2.0
    """
    return _core.downside_beta(numbers("asset", asset), numbers("market", market), quantile)


def blume_beta(beta: float) -> float:
    """Return Blume's adjusted beta, `0.67 beta + 0.33`.

    Parameters
    ----------
    beta
        As estimated.

    Raises
    ------
    OutOfRangeError
        If it is not finite.

    Examples
    --------
    >>> round(blume_beta(1.5), 6)
    1.335
    """
    return _core.blume_beta(beta)
