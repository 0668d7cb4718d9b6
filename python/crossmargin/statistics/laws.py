"""Value at risk and expected shortfall in closed form, and facts about copulas."""

from __future__ import annotations

from dataclasses import dataclass

from crossmargin import _core
from crossmargin.errors import MissingError

__all__ = [
    "Measures",
    "ShortfallRates",
    "cornish_fisher_quantile",
    "correlation_of_kendall_tau",
    "expected_shortfall_exceedance_rate",
    "horizon_volatility",
    "kendall_tau",
    "lognormal_shortfall_rates",
    "normal_tail",
    "pure_gamma_tail",
    "spearman_rho",
    "student_tail",
    "tail_dependence",
]


@dataclass(frozen=True)
class Measures:
    """Value at risk and expected shortfall of a law, losses positive."""

    value_at_risk: float
    expected_shortfall: float


@dataclass(frozen=True)
class ShortfallRates:
    """Expected-shortfall margin rates of a long and of a short position, shares of notional."""

    long: float
    short: float


def horizon_volatility(
    volatility: float, *, horizon_days: float, days_per_year: float = 365.0
) -> float:
    """Return a yearly volatility over a horizon: `volatility sqrt(days / days per year)`.

    Parameters
    ----------
    volatility
        Yearly, a fraction (0.6 is 60 %).
    horizon_days, days_per_year
        In the same kind of days: 365 for markets that never close.

    Raises
    ------
    OutOfRangeError
        For a volatility below zero, or days that are not above zero.

    Examples
    --------
    >>> round(horizon_volatility(0.6, horizon_days=10), 6)
    0.099313
    """
    return _core.horizon_volatility(volatility, horizon_days, days_per_year)


def normal_tail(volatility: float, *, confidence: float, value: float = 1.0) -> Measures:
    """Return the measures of normal losses with mean zero.

    `VaR = value x sigma z`, `ES = value x sigma phi(z) / (1 - confidence)`.

    Parameters
    ----------
    volatility
        Standard deviation over the horizon, a fraction of the value (or money, with a value of 1).
    confidence
        0.99 for 99 %; 0.01 is refused.
    value
        Size of the position, money, at least 0.

    Raises
    ------
    OutOfRangeError
        For a number outside its range.

    Examples
    --------
    >>> found = normal_tail(0.02, confidence=0.99, value=1_000_000)
    >>> round(found.value_at_risk), round(found.expected_shortfall)
    (46527, 53304)
    """
    return Measures(*_core.normal_tail(volatility, confidence, value))


def student_tail(
    volatility: float | None = None,
    *,
    degrees_of_freedom: float,
    confidence: float,
    scale: float | None = None,
    value: float = 1.0,
) -> Measures:
    """Return the measures of Student losses with mean zero.

    `VaR = value x s t`, `ES = value x s f(t) / (1 - confidence) (nu + t^2) / (nu - 1)` with
    `s = sigma sqrt((nu - 2) / nu)` where a volatility is given.

    Parameters
    ----------
    volatility
        Standard deviation over the horizon, whatever the degrees of freedom.
    degrees_of_freedom
        Above 2 with a volatility, above 1 with a scale.
    confidence
        0.99 for 99 %.
    scale
        `s` itself, in the place of a volatility: the variance is then `nu / (nu - 2)` times `s^2`.
    value
        Size of the position, money, at least 0.

    Raises
    ------
    MissingError
        Unless exactly one of volatility and scale is given.
    OutOfRangeError
        For a number outside its range.

    Examples
    --------
    >>> found = student_tail(0.02, degrees_of_freedom=4, confidence=0.99, value=1_000_000)
    >>> round(found.value_at_risk), round(found.expected_shortfall)
    (52990, 73830)
    """
    if (volatility is None) == (scale is None):
        raise MissingError("volatility or scale is missing: give one of the two")
    spread = scale if volatility is None else volatility
    return Measures(
        *_core.student_tail(
            spread,  # type: ignore[arg-type]  # one of the two is given
            degrees_of_freedom,
            confidence,
            value,
            scale is not None,
        )
    )


def pure_gamma_tail(gamma: float, volatility: float, *, confidence: float) -> Measures:
    """Return the measures of a position with gamma and no delta, `P&L = gamma x^2 / 2`.

    A delta-normal value at risk of it is 0. Long gamma never loses: its measures are at most 0.

    Parameters
    ----------
    gamma
        Money per squared unit of `x`; below 0 for short gamma.
    volatility
        Standard deviation of `x` over the horizon.
    confidence
        0.99 for 99 %.

    Raises
    ------
    OutOfRangeError
        For a number outside its range.

    Examples
    --------
    >>> round(pure_gamma_tail(-10_000, 1.0, confidence=0.99).value_at_risk, 6)
    33174.483005
    """
    return Measures(*_core.pure_gamma_tail(gamma, volatility, confidence))


def cornish_fisher_quantile(
    probability: float, *, skewness: float, excess_kurtosis: float, whole_law: bool = True
) -> float:
    """Return Cornish and Fisher's quantile of a law of mean 0 and variance 1.

    `z + (z^2 - 1) S/6 + (z^3 - 3z) K/24 - (2z^3 - 5z) S^2/36`.

    Parameters
    ----------
    probability
        Of a return below the quantile: 0.01 for the loss at 99 %, with the skewness of returns.
    skewness, excess_kurtosis
        Of the law; 0 and 0 are normal.
    whole_law
        Whether the quantile must rise everywhere (Maillard's domain); otherwise it must rise from
        the median to the probability.

    Raises
    ------
    NoAnswerError
        Where it does not rise: there it is no quantile.
    OutOfRangeError
        For a probability outside 0 to 1 or a moment that is not finite.

    Examples
    --------
    >>> round(cornish_fisher_quantile(0.01, skewness=-0.5, excess_kurtosis=1.0), 6)
    -2.833709
    """
    return _core.cornish_fisher_quantile(probability, skewness, excess_kurtosis, whole_law)


def lognormal_shortfall_rates(
    tail_probability: float, volatility: float, *, years: float, drift: float = 0.0
) -> ShortfallRates:
    """Return the expected-shortfall margin rates of a linear position in a lognormal price.

    `long = 1 - e^(mu tau) N(z - sigma sqrt(tau)) / lambda`,
    `short = e^(mu tau) N(sigma sqrt(tau) + z) / lambda - 1`, as Vega sets its risk factors.

    Parameters
    ----------
    tail_probability
        `lambda`, 1 less the confidence: 1e-8 does not survive being subtracted from 1.
    volatility, drift
        Yearly, fractions.
    years
        Horizon, years.

    Raises
    ------
    OutOfRangeError
        For a tail probability outside 0 to 0.5, or another number outside its range.

    Examples
    --------
    >>> rates = lognormal_shortfall_rates(1e-6, 1.0, years=0.1)
    >>> round(rates.long, 6), round(rates.short, 6)
    (0.800728, 3.556904)
    """
    return ShortfallRates(
        *_core.lognormal_shortfall_rates(tail_probability, volatility, years, drift)
    )


def expected_shortfall_exceedance_rate(confidence: float) -> float:
    """Return how often normal losses exceed their own expected shortfall: 0.385 % of days at 99 %.

    Parameters
    ----------
    confidence
        Of the expected shortfall, 0.99 for 99 %.

    Raises
    ------
    OutOfRangeError
        For a confidence outside its range.

    Examples
    --------
    >>> round(expected_shortfall_exceedance_rate(0.99), 5)
    0.00385
    """
    return _core.expected_shortfall_exceedance_rate(confidence)


def tail_dependence(degrees_of_freedom: float, correlation: float) -> float:
    """Return the tail dependence of the Student copula, `2 T_{nu+1}(-sqrt((nu+1)(1-rho)/(1+rho)))`.

    Parameters
    ----------
    degrees_of_freedom
        Above 0. The Gaussian copula, its limit, has none below a correlation of 1.
    correlation
        From -1 to 1.

    Raises
    ------
    OutOfRangeError
        For a number outside its range.

    Examples
    --------
    >>> round(tail_dependence(4, 0.5), 6)
    0.25317
    """
    return _core.tail_dependence(degrees_of_freedom, correlation)


def kendall_tau(correlation: float) -> float:
    """Return Kendall's tau of a Gaussian or Student copula: `(2 / pi) asin(rho)`.

    Parameters
    ----------
    correlation
        From -1 to 1.

    Raises
    ------
    OutOfRangeError
        Outside it.

    Examples
    --------
    >>> round(kendall_tau(0.6), 6)
    0.409666
    """
    return _core.kendall_tau(correlation)


def correlation_of_kendall_tau(tau: float) -> float:
    """Return the correlation of a Gaussian or Student copula: `sin(pi tau / 2)`.

    Parameters
    ----------
    tau
        Kendall's tau, from -1 to 1.

    Raises
    ------
    OutOfRangeError
        Outside it.

    Examples
    --------
    >>> round(correlation_of_kendall_tau(kendall_tau(0.6)), 12)
    0.6
    """
    return _core.correlation_of_kendall_tau(tau)


def spearman_rho(correlation: float) -> float:
    """Return Spearman's rank correlation of a Gaussian copula: `(6 / pi) asin(rho / 2)`.

    Parameters
    ----------
    correlation
        From -1 to 1.

    Raises
    ------
    OutOfRangeError
        Outside it.

    Examples
    --------
    >>> round(spearman_rho(0.6), 6)
    0.58192
    """
    return _core.spearman_rho(correlation)
