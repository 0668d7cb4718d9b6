"""Covariances and correlations: estimated, checked, repaired, stressed; contributions and betas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from crossmargin import _core
from crossmargin.statistics._coerce import Floats, numbers, optional, square, table, whole, word

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = [
    "Contributions",
    "Decomposed",
    "RepairedCorrelation",
    "ShrunkCovariance",
    "beta",
    "blume_beta",
    "check_correlation",
    "contributions",
    "correlation_change",
    "correlation_of",
    "covariance_of",
    "downside_beta",
    "ewma_covariance",
    "ewma_covariance_update",
    "ledoit_wolf",
    "nearest_correlation",
    "sample_covariance",
    "smallest_eigenvalue",
    "spectral_correlation",
    "stressed_correlation",
]

_MEANS = ("sample", "zero")
_SHRUNK = ("covariance", "correlation")
_TARGETS = ("one", "zero")


@dataclass(frozen=True)
class Contributions:
    """Contributions to `multiple x sqrt(x' Sigma x)`, one entry per exposure.

    Parameters
    ----------
    total
        Risk of the book, money.
    component
        Euler's shares, money; they add up to the total and are negative for a hedge.
    share
        The same as fractions of the total.
    marginal
        Risk per unit of further exposure.
    incremental
        Total less the total without the exposure, money.
    stand_alone
        Risk of the exposure by itself, money.
    beta
        Beta to the book: `(Sigma x)_i / (x' Sigma x)` times the sum of exposures.
    undiversified
        Sum of the exposures' own risks; less the total it is the benefit of diversification.
    order_component, order_marginal, order_incremental, order_notional
        Places of the exposures, the largest first: by component, by component per unit of notional,
        by incremental, by size. They differ: component shows, marginal ranks small reductions,
        incremental ranks full closes.
    """

    total: float
    component: Floats
    share: Floats
    marginal: Floats
    incremental: Floats
    stand_alone: Floats
    beta: Floats
    undiversified: float
    order_component: list[int]
    order_marginal: list[int]
    order_incremental: list[int]
    order_notional: list[int]


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


def contributions(
    exposures: npt.ArrayLike,
    covariance: npt.ArrayLike,
    *,
    confidence: float | None = None,
    multiple: float | None = None,
) -> Contributions:
    """Return what every exposure adds to a risk that is a multiple of the book's volatility.

    Source: Jorion, Value at Risk, chapter 7; Tasche 1999.

    Parameters
    ----------
    exposures
        Signed, money, shape ``(N,)``.
    covariance
        Of the returns over the horizon, shape ``(N, N)``.
    confidence
        Of a normal value at risk, 0.99 for 99 %.
    multiple
        Volatilities, in the place of a confidence: 1.65, or the expected shortfall of a law of
        volatility 1 (`student_tail(1, ...)`).

    Raises
    ------
    MissingError
        Unless exactly one of confidence and multiple is given.
    NoAnswerError
        For a book without volatility, or a covariance that is not symmetric.
    OutOfRangeError, ShapeError
        For a number outside its range, or other shapes.

    Examples
    --------
    >>> found = contributions([2e6, 1e6], [[0.0025, 0], [0, 0.0144]], multiple=1.65)
    >>> round(found.total), found.component.round().tolist()
    (257738, [105630.0, 152108.0])
    """
    total, undiversified, columns, orders = _core.volatility_contributions(
        numbers("exposures", exposures), square("covariance", covariance)[0], confidence, multiple
    )
    component, share, marginal, incremental, stand_alone, beta_to_book = columns
    by_component, by_marginal, by_incremental, by_notional = orders
    return Contributions(
        total=total,
        component=component,
        share=share,
        marginal=marginal,
        incremental=incremental,
        stand_alone=stand_alone,
        beta=beta_to_book,
        undiversified=undiversified,
        order_component=by_component,
        order_marginal=by_marginal,
        order_incremental=by_incremental,
        order_notional=by_notional,
    )


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
