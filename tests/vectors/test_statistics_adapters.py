"""Cases of statistics with other numbers and other spellings, against figures worked out here."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import mpmath
import numpy as np
import pytest

from tests.vectors.adapters import ADAPTERS
from tests.vectors.facade import load
from tests.vectors.runner import Outcome, Status, run_case

if TYPE_CHECKING:
    from collections.abc import Mapping

NORMAL = NormalDist()
TOLERANCE = {"rel": 1e-9, "abs": 1e-12}


def ask(
    inputs: Mapping[str, Any],
    expected: Mapping[str, Any],
    *,
    method: str | None = None,
    name: str = "case",
    tolerance: Mapping[str, Any] = TOLERANCE,
) -> Outcome:
    """Run one case against the package."""
    case = {
        "id": name,
        "method": method,
        "inputs": inputs,
        "expected": expected,
        "tolerance": tolerance,
    }
    return run_case(case, {"meta": {}}, load(), ADAPTERS, {})


def check(inputs: Mapping[str, Any], expected: Mapping[str, Any], **more: Any) -> None:
    outcome = ask(inputs, expected, **more)
    assert outcome.status is Status.PASSED, outcome.reason


def binomial(count: int, at_most: int, rate: float) -> float:
    """Return the binomial probability of at most so many."""
    return sum(
        math.comb(count, k) * rate**k * (1 - rate) ** (count - k) for k in range(at_most + 1)
    )


def student_quantile(nu: float, confidence: float) -> float:
    """Return Student's quantile by mpmath's incomplete beta function."""

    def beyond(t: float) -> Any:
        return mpmath.betainc(nu / 2, 0.5, 0, nu / (nu + t * t), regularized=True) / 2

    return float(mpmath.findroot(lambda t: beyond(t) - (1 - confidence), 3.0))


def test_exposures_with_a_matrix_a_confidence_and_other_names() -> None:
    x, sigma = np.array([3e6, -2e6]), np.array([0.04, 0.1])
    correlation = np.array([[1, 0.4], [0.4, 1]])
    covariance = correlation * np.outer(sigma, sigma)
    z = NORMAL.inv_cdf(0.95)
    total = z * math.sqrt(x @ covariance @ x)
    alone = z * abs(x) * sigma
    inputs = {"x": x.tolist(), "sigma": sigma.tolist(), "corr": correlation.tolist()}
    check(
        {**inputs, "alpha": 0.95},
        {
            "portfolio": total,
            "individual": alone.tolist(),
            "undiversified": alone.sum(),
            "marginal": (z * z * covariance @ x / total).tolist(),
            "component": (z * z * x * (covariance @ x) / total).tolist(),
            "incremental": (total - alone[::-1]).tolist(),
            "beta": ((covariance @ x) / (x @ covariance @ x) * x.sum()).tolist(),
        },
    )


def test_a_figure_for_each_currency_in_their_order() -> None:
    expected = {"var_chf": 2.33 * 1e6 * 0.07, "var_jpy": 2.33 * 2e6 * 0.09}
    total = 2.33 * math.sqrt(70_000**2 + 180_000**2 + 2 * 0.3 * 70_000 * 180_000)
    inputs = {"pos": [1e6, 2e6], "vol": [0.07, 0.09], "rho": 0.3, "z": 2.33}
    check(inputs, {**expected, "portfolio": total})


def test_a_yearly_volatility_is_taken_to_its_horizon_and_weights_to_money() -> None:
    covered = {"w": [0.5, 0.5], "V": 1000, "vol": [0.2, 0.2], "rho": 1.0, "alpha": 0.99}
    total = 1000 * 0.2 * math.sqrt(10 / 250) * NORMAL.inv_cdf(0.99)
    check({**covered, "days": 250, "horizon": 10}, {"var": total})


def test_weights_without_a_confidence_share_out_the_volatility() -> None:
    w, covariance = np.array([0.6, 0.4]), np.array([[0.04, 0.01], [0.01, 0.09]])
    shares = w * (covariance @ w) / (w @ covariance @ w)
    volatility = math.sqrt(w @ covariance @ w)
    check(
        {"w": w.tolist(), "cov": covariance.tolist()},
        {"rc": (shares * volatility).tolist(), "pct": shares.tolist(), "sigma_p": volatility},
    )


def test_a_student_shortfall_is_shared_out_by_the_covariance() -> None:
    w, covariance = np.array([1.0, 2.0]), np.array([[0.04, 0.01], [0.01, 0.09]])
    nu, confidence = 5, 0.975
    t = student_quantile(nu, confidence)
    density = math.gamma(3) / math.sqrt(5 * math.pi) / math.gamma(2.5) * (1 + t * t / 5) ** -3
    unit = math.sqrt(3 / 5) * density / 0.025 * (nu + t * t) / (nu - 1)
    total = unit * math.sqrt(w @ covariance @ w)
    parts = total * w * (covariance @ w) / (w @ covariance @ w)
    check(
        {"w": w.tolist(), "Sigma": covariance.tolist(), "nu": nu, "alpha": confidence},
        {"es": total, "component": parts.tolist()},
    )


def test_equal_shares_of_the_risk_of_two_assets() -> None:
    covariance = [[0.04, 0.03], [0.03, 0.25]]
    weights = [5 / 7, 2 / 7]  # the inverse of their volatilities, whatever the correlation
    check({"Sigma": covariance}, {"w": weights, "pct": [0.5, 0.5]})


def test_names_that_nobody_knows_are_named() -> None:
    inputs = {"pos": [1.0, 2.0], "vol": [0.1, 0.2], "rho": 0.5, "z": 1.65}
    outcome = ask(inputs, {"portfolio": 1.0, "surprise": 2.0})
    assert outcome.status is Status.NOT_APPLICABLE
    assert "surprise" in outcome.reason


def test_losses_in_a_list_with_probabilities() -> None:
    inputs = {"losses": [1.0, 2.0, 3.0, 4.0], "weights": [0.4, 0.3, 0.2, 0.1]}
    check({**inputs, "alpha": 0.6}, {"var": 2.0, "es": (0.1 * 2 + 0.2 * 3 + 0.1 * 4) / 0.4})


def test_standard_errors_of_either_measure() -> None:
    z, density = NORMAL.inv_cdf(0.975), NORMAL.pdf(NORMAL.inv_cdf(0.975))
    shortfall = density / 0.025
    variance = 1 + z * shortfall - shortfall**2
    of_shortfall = math.sqrt((variance + 0.975 * (shortfall - z) ** 2) / (5000 * 0.025))
    of_quantile = math.sqrt(0.975 * 0.025 / 5000) / density
    inputs = {"dist": "N(0,1)", "alpha": 0.975, "n": 5000}
    check(inputs, {"se": of_shortfall}, name="es.se_asymptotic")
    check(inputs, {"se": of_quantile}, name="var.se_asymptotic")
    check(inputs, {"se_var": of_quantile, "se_es": of_shortfall, "es": shortfall, "var": z})


def test_ranks_of_an_interval() -> None:
    # P(r <= B < s) of B binomial(500, 0.99), as 500 - B binomial(500, 0.01)
    coverage = binomial(500, 500 - 490, 0.01) - binomial(500, 500 - 500, 0.01)
    check({"n": 500, "alpha": 0.99, "r": 490, "s": 500}, {"coverage": coverage})
    below = [rank for rank in range(1, 501) if 1 - binomial(500, 500 - rank, 0.01) <= 0.05]
    above = [rank for rank in range(1, 501) if binomial(500, 500 - rank, 0.01) <= 0.05]
    lower, upper = below[-1], above[0]
    coverage = binomial(500, 500 - lower, 0.01) - binomial(500, 500 - upper, 0.01)
    expected = {"lower": lower, "upper": upper, "coverage": coverage}
    check({"n": 500, "alpha": 0.99, "level": 0.9}, expected)
    check({"n": 250, "alpha": 0.99, "level": 0.95}, {"upper": None})


def test_a_matrix_is_repaired_the_way_the_method_says() -> None:
    # Rebonato and Jaeckel's kind of matrix: eigenvalues cut at zero, diagonal scaled to one
    given = np.array([[1, 0.9, 0.7], [0.9, 1, 0.2], [0.7, 0.2, 1]])
    values, vectors = np.linalg.eigh(given)
    assert values[0] < 0
    cut = vectors * values.clip(0) @ vectors.T
    scale = np.sqrt(cut.diagonal())
    spectral = cut / np.outer(scale, scale)
    check({"A": given.tolist()}, {"X": spectral.tolist()}, method="3 PSD repair")
    names = {"x12": spectral[0, 1], "x13": spectral[0, 2], "x23": spectral[1, 2]}
    check({"M": given.tolist()}, names, method="3 PSD repair (spectral)")
    # the nearest one: alternating projections with Dykstra's correction
    correction, nearest = np.zeros((3, 3)), given.copy()
    for _ in range(3000):
        shifted = nearest - correction
        values, vectors = np.linalg.eigh(shifted)
        projected = vectors * values.clip(0) @ vectors.T
        correction = projected - shifted
        nearest = projected.copy()
        np.fill_diagonal(nearest, 1)
    expected = {
        "offdiag": [nearest[0, 1], nearest[0, 2], nearest[1, 2]],
        "dist": np.linalg.norm(nearest - given),
        "min_eig": 0.0,
    }
    check({"R": given.tolist()}, expected, method="3 Higham", tolerance={"abs": 1e-9})


@pytest.mark.parametrize(
    ("more", "target"),
    [
        ({"target": "identity"}, np.eye(2)),
        ({"T": [[1, -0.5], [-0.5, 1]]}, np.array([[1, -0.5], [-0.5, 1]])),
        ({"signs": [1, -1]}, np.array([[1, -1], [-1, 1]])),
    ],
)
def test_correlations_are_moved_towards_any_target(more: dict[str, Any], target: Any) -> None:
    stressed = 0.7 * np.array([[1, 0.6], [0.6, 1]]) + 0.3 * target
    expected = {"offdiag": [stressed[0, 1]], "min_eig": np.linalg.eigvalsh(stressed)[0]}
    check({"R": [[1, 0.6], [0.6, 1]], "k": 0.3, **more}, expected)


def test_a_correlation_after_one_more_date() -> None:
    sigma, u = np.array([[4e-4, -1e-4], [-1e-4, 9e-4]]), np.array([0.01, 0.03])
    after = 0.94 * sigma + 0.06 * np.outer(u, u)
    rho = after[0, 1] / math.sqrt(after[0, 0] * after[1, 1])
    inputs = {"lam": 0.94, "cov": sigma.tolist(), "r": u.tolist()}
    check(inputs, {"rho": rho, "Sigma_new": after.tolist()})


def test_a_constant_spread_by_multiple_or_confidence() -> None:
    check(
        {"P": 40.0, "sigma": 0.02, "z": 2.33, "spread": 0.004},
        {"lvar": 40 * 2.33 * 0.02 + 20 * 0.004, "var": 40 * 2.33 * 0.02},
    )
    z = NORMAL.inv_cdf(0.95)
    inputs = {"V": 40.0, "vol": 0.02, "confidence": 0.95, "spread": 0.004}
    check(inputs, {"lvar": 40 * z * 0.02 + 20 * 0.004, "liquidity_cost": 20 * 0.004})


def test_a_horizon_of_autocorrelated_days() -> None:
    # the sum of the correlation matrix of ten days is the factor on a day's variance
    days = np.arange(10)
    factor = (0.3 ** abs(np.subtract.outer(days, days))).sum()
    check({"h": 10, "rho": 0.3}, {"factor": factor, "vol_factor": math.sqrt(factor)})
    check({"days": [1, 10], "phi": 0.3}, {"variance_factor": [1.0, factor]})


def test_regions_of_acceptance_for_days_and_rates_in_lists() -> None:
    def likelihood(days: int, count: int, rate: float) -> float:
        share = count / days
        inside = 0.0 if count == 0 else count * math.log(share / rate)
        rest = (days - count) * math.log((1 - share) / (1 - rate))
        return 2 * (inside + rest)

    def region(days: int, rate: float) -> list[int]:
        # 3.841458820694124 is the square of the normal quantile at 97.5 %
        bound = NORMAL.inv_cdf(0.975) ** 2
        counts = [x for x in range(days // 2) if likelihood(days, x, rate) <= bound]
        return [counts[0], counts[-1]]

    table = [[region(days, rate) for days in (255, 510)] for rate in (0.01, 0.05)]
    check({"T": [255, 510], "p": [0.01, 0.05], "conf": 0.95}, {"accept": table})
    check({"N": 1000, "p": 0.01}, {"lo": region(1000, 0.01)[0], "hi": region(1000, 0.01)[1]})


def test_cumulative_probabilities_of_a_traffic_light() -> None:
    cumulative = [binomial(250, k, 0.01) for k in range(11)]
    zones = ["green"] * 5 + ["yellow"] * 5 + ["red"]
    inputs = {"n": 250, "exceptions": list(range(11))}
    check({**inputs, "p": 0.01}, {"cumprob": cumulative, "zone": zones})
    check({**inputs, "alpha": 0.99}, {"cum_prob": cumulative})


def test_critical_values_by_simulation_are_near_the_published_ones() -> None:
    inputs = {"T": 250, "alpha": 0.975, "dist": "N(0,1)", "sims": 100_000}
    check(inputs, {"z2_5pct": -0.70}, tolerance={"abs": 0.02})
    student = {"T": 250, "alpha": 0.025, "nu": 5, "levels": [0.05, 0.0001]}
    check(student, {"z2_crit": [-0.739, -2.0]}, tolerance={"abs": 0.1})


def test_rates_raised_by_open_interest() -> None:
    inputs = {"base": 0.1, "oi": [5.0, 20.0, 60.0], "oi_lower": 10.0, "oi_upper": 50.0}
    check(inputs, {"imf": [0.1, 0.1 + 0.25 * 0.9, 1.0]})


def test_a_student_factor_of_scale_one_and_the_margin_that_it_gives() -> None:
    t = student_quantile(3, 0.99)
    density = 2 / (math.pi * math.sqrt(3)) * (1 + t * t / 3) ** -2
    factor = density / 0.01 * (3 + t * t) / 2
    inputs = {"df": 3, "conf": 0.99, "sigma": 0.04, "qty": 2, "price": 100}
    check(inputs, {"es_factor": factor, "im": factor * 0.04 * 200})


def test_further_spellings() -> None:
    check(
        {"r": [[1.0, 3.0], [2.0, 1.0], [4.0, 2.0]]},
        {"rho": np.corrcoef([1, 2, 4], [3, 1, 2])[0, 1]},
    )
    check(
        {"x": [1.0, 2.0, 4.0], "y": [3.0, 1.0, 2.0]},
        {"corr": np.corrcoef([1, 2, 4], [3, 1, 2])[0, 1]},
    )
    check({"tau": 0.5}, {"rho": math.sqrt(0.5)})
    check({"decay": 0.5}, {"half_life": 1.0})
    z = math.sqrt(97) * (math.atanh(0.8) - math.atanh(0.5))
    check({"rho_f": 0.8, "rho_s": 0.5, "n_eff": 100}, {"z": z})
    check(
        {"S": 100.0, "liq_price": 120.0, "sigma": 0.5},
        {"sigmas": math.log(1.2) / 0.5 * math.sqrt(365), "pct": 0.2},
    )
