"""Statistics against numpy, mpmath and formulas worked out beside them."""

from __future__ import annotations

import itertools
import math
from statistics import NormalDist
from typing import Any

import mpmath
import numpy as np
import pytest

from crossmargin import statistics as st

NORMAL = NormalDist()


@pytest.fixture
def draw() -> np.random.Generator:
    return np.random.default_rng(20_261_128)


def student(nu: float, confidence: float) -> tuple[float, float]:
    """Return quantile and shortfall of Student's law of scale 1, by mpmath's integration."""
    with mpmath.workdps(30):
        constant = mpmath.gamma((nu + 1) / 2) / (
            mpmath.sqrt(nu * mpmath.pi) * mpmath.gamma(mpmath.mpf(nu) / 2)
        )

        def density(x: Any) -> Any:
            return constant * (1 + x * x / nu) ** (-(mpmath.mpf(nu) + 1) / 2)

        beyond = mpmath.mpf(1) - mpmath.mpf(str(confidence))
        # fatter tails than the normal ones: the quantile lies a little further out
        start = NORMAL.inv_cdf(confidence) * (1 + 1 / mpmath.mpf(nu))
        quantile = mpmath.findroot(
            lambda t: (
                mpmath.betainc(mpmath.mpf(nu) / 2, 0.5, 0, nu / (nu + t * t), regularized=True) / 2
                - beyond
            ),
            start,
        )
        shortfall = mpmath.quad(lambda x: x * density(x), [quantile, 10, 100, mpmath.inf]) / beyond
        return float(quantile), float(shortfall)


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.975, 0.99, 0.999])
@pytest.mark.parametrize("nu", [3, 4, 6.5, 30])
def test_student_measures_are_the_integrals_of_their_density(nu: float, confidence: float) -> None:
    quantile, shortfall = student(nu, confidence)
    scaled = st.student_tail(scale=2.0, degrees_of_freedom=nu, confidence=confidence)
    assert scaled.value_at_risk == pytest.approx(2 * quantile, rel=1e-11)
    assert scaled.expected_shortfall == pytest.approx(2 * shortfall, rel=1e-9)
    same_variance = st.student_tail(0.02, degrees_of_freedom=nu, confidence=confidence, value=5e5)
    scale = 5e5 * 0.02 * math.sqrt((nu - 2) / nu)
    assert same_variance.value_at_risk == pytest.approx(scale * quantile, rel=1e-11)
    assert same_variance.expected_shortfall == pytest.approx(scale * shortfall, rel=1e-9)


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.975, 0.99, 0.9999])
def test_normal_measures_and_their_exceedance_rate(confidence: float) -> None:
    with mpmath.workdps(30):
        beyond = 1 - mpmath.mpf(str(confidence))
        z = mpmath.sqrt(2) * mpmath.erfinv(1 - 2 * beyond)
        shortfall = mpmath.npdf(z) / beyond
        rate = mpmath.erfc(shortfall / mpmath.sqrt(2)) / 2
    found = st.normal_tail(0.03, confidence=confidence, value=1e6)
    # 1 - 0.9999 keeps twelve digits
    assert found.value_at_risk == pytest.approx(3e4 * float(z), rel=1e-11)
    assert found.expected_shortfall == pytest.approx(3e4 * float(shortfall), rel=1e-11)
    assert st.expected_shortfall_exceedance_rate(confidence) == pytest.approx(float(rate), rel=1e-9)


@pytest.mark.parametrize("size", [100, 257, 1000])
@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.975, 0.99])
def test_a_tail_is_what_a_full_sort_gives(
    size: int, confidence: float, draw: np.random.Generator
) -> None:
    losses = draw.standard_t(3, size).round(1)  # rounded, so that there are ties
    found = st.tail(losses, confidence=confidence)
    ordered = np.sort(losses)
    reached = round(size * confidence, 9)
    rank = math.ceil(reached)
    expected = (ordered[rank:].sum() + (rank - reached) * ordered[rank - 1]) / (size - reached)
    assert found.value_at_risk == ordered[rank - 1]
    assert found.expected_shortfall == pytest.approx(expected, rel=1e-12)
    assert found.weights @ losses[found.scenarios] == pytest.approx(expected, rel=1e-12)
    assert found.weights.sum() == pytest.approx(1, abs=1e-14)
    # Rockafellar and Uryasev: the shortfall is the least of v + E(L - v)+ / (1 - a)
    least = min(v + np.maximum(losses - v, 0).mean() / (1 - confidence) for v in ordered)
    assert found.expected_shortfall == pytest.approx(least, rel=1e-12)


def test_weights_of_scenarios_are_scenarios_that_are_repeated(draw: np.random.Generator) -> None:
    losses = draw.normal(size=60)
    counts = draw.integers(1, 5, 60)
    weighted = st.tail(losses, confidence=0.9, probabilities=counts)
    repeated = st.tail(np.repeat(losses, counts), confidence=0.9)
    assert weighted.value_at_risk == repeated.value_at_risk
    assert weighted.expected_shortfall == pytest.approx(repeated.expected_shortfall, rel=1e-12)


@pytest.mark.parametrize("ties", ["mean", "first_listed"])
def test_contributions_of_positions_are_slopes_and_add_up(
    ties: Any, draw: np.random.Generator
) -> None:
    pnl = draw.standard_t(4, (400, 5))
    found = st.shortfall_contributions(pnl, confidence=0.975, ties=ties)
    assert found.pnl == pytest.approx(pnl.sum(axis=1), rel=1e-12)
    assert found.component.sum() == pytest.approx(found.expected_shortfall, rel=1e-12)
    whole = st.tail(-pnl.sum(axis=1), confidence=0.975)
    assert found.expected_shortfall == whole.expected_shortfall
    assert found.value_at_risk == whole.value_at_risk
    for position in range(5):
        size = np.ones(5)
        size[position] += 1e-7
        larger = st.tail(-(pnl @ size), confidence=0.975).expected_shortfall
        slope = (larger - found.expected_shortfall) / 1e-7
        assert found.component[position] == pytest.approx(slope, abs=1e-5)
        without = np.delete(pnl, position, axis=1).sum(axis=1)
        left = found.expected_shortfall - st.tail(-without, confidence=0.975).expected_shortfall
        assert found.incremental[position] == pytest.approx(left, abs=1e-12)
        alone = st.tail(-pnl[:, position], confidence=0.975).expected_shortfall
        assert found.stand_alone[position] == pytest.approx(alone, rel=1e-14)


def test_contributions_of_exposures_are_slopes_and_add_up(draw: np.random.Generator) -> None:
    draws = draw.normal(size=(50, 6))
    covariance = np.cov(draws, rowvar=False)
    exposures = draw.normal(size=6) * 1e6
    found = st.contributions(exposures, covariance, confidence=0.99)
    z = NORMAL.inv_cdf(0.99)

    def risk(x: Any) -> float:
        return z * math.sqrt(x @ covariance @ x)

    assert found.total == pytest.approx(risk(exposures), rel=1e-12)
    assert found.component.sum() == pytest.approx(found.total, rel=1e-12)
    assert found.share.sum() == pytest.approx(1, rel=1e-12)
    assert found.undiversified == pytest.approx(
        z * (abs(exposures) * np.sqrt(covariance.diagonal())).sum(), rel=1e-12
    )
    for place in range(6):
        step = np.zeros(6)
        step[place] = 1.0
        slope = (risk(exposures + step) - risk(exposures - step)) / 2
        assert found.marginal[place] == pytest.approx(slope, abs=1e-7)
        without = exposures * (1 - step)
        assert found.incremental[place] == pytest.approx(found.total - risk(without), rel=1e-9)
    assert found.order_component == np.argsort(-found.component).tolist()
    assert found.order_marginal == np.argsort(-found.component / abs(exposures)).tolist()
    assert found.order_incremental == np.argsort(-found.incremental).tolist()
    assert found.order_notional == np.argsort(-abs(exposures)).tolist()


def test_budgets_of_risk_are_met(draw: np.random.Generator) -> None:
    covariance = np.cov(draw.normal(size=(80, 7)), rowvar=False)
    budgets = draw.uniform(0.5, 2, 7)
    weights = st.risk_budget_weights(covariance, budgets=budgets)
    shares = weights * (covariance @ weights) / (weights @ covariance @ weights)
    assert shares == pytest.approx(budgets / budgets.sum(), rel=1e-10)
    assert weights.sum() == pytest.approx(1, rel=1e-14)
    assert (weights > 0).all()


def test_the_interval_of_a_value_at_risk_covers_it_as_often_as_it_says(
    draw: np.random.Generator,
) -> None:
    quantile, count = NORMAL.inv_cdf(0.95), 400
    inside = 0
    for _ in range(2000):
        found = st.value_at_risk_interval(draw.normal(size=count), confidence=0.95)
        assert found.lower is not None
        assert found.upper is not None
        inside += found.lower <= quantile < found.upper
        coverage = found.coverage
    # three standard errors of 2000 trials
    assert abs(inside / 2000 - coverage) <= 3 * math.sqrt(coverage * (1 - coverage) / 2000)


@pytest.mark.parametrize("nu", [None, 6])
def test_standard_errors_are_those_of_repeated_samples(
    nu: float | None, draw: np.random.Generator
) -> None:
    count, repeats = 2000, 1500
    raw = (
        draw.normal(size=(repeats, count))
        if nu is None
        else draw.standard_t(nu, (repeats, count)) * math.sqrt((nu - 2) / nu)
    )
    found = [st.tail(row, confidence=0.95) for row in raw]
    expected = st.sampling_errors(1.0, confidence=0.95, count=count, degrees_of_freedom=nu)
    of_quantile = np.std([each.value_at_risk for each in found])
    of_shortfall = np.std([each.expected_shortfall for each in found])
    # the spread of 1500 repeats is known to two per cent; six are three of these
    assert of_quantile == pytest.approx(expected.value_at_risk, rel=0.06)
    assert of_shortfall == pytest.approx(expected.expected_shortfall, rel=0.06)
    own = np.mean([st.expected_shortfall_error(row, confidence=0.95) for row in raw[:200]])
    assert own == pytest.approx(expected.expected_shortfall, rel=0.06)


def test_covariances_are_numpy_ones(draw: np.random.Generator) -> None:
    returns = draw.normal(size=(120, 4)) * [0.01, 0.02, 0.03, 0.04] + 0.001
    sample = st.sample_covariance(returns)
    assert sample == pytest.approx(np.cov(returns, rowvar=False), rel=1e-12)
    about_zero = st.sample_covariance(returns, mean="zero")
    assert about_zero == pytest.approx(returns.T @ returns / 120, rel=1e-12)
    split = st.correlation_of(sample)
    assert split.volatilities == pytest.approx(returns.std(axis=0, ddof=1), rel=1e-12)
    assert split.correlation == pytest.approx(np.corrcoef(returns, rowvar=False), rel=1e-10)
    joined = st.covariance_of(split.volatilities, split.correlation)
    assert joined == pytest.approx(sample, rel=1e-12)
    expected = returns[:30].T @ returns[:30] / 30
    for row in returns[30:]:
        expected = 0.97 * expected + 0.03 * np.outer(row, row)
    found = st.ewma_covariance(returns, decay=0.97)
    assert found == pytest.approx(expected, rel=1e-12)
    before = st.ewma_covariance(returns[:-1], decay=0.97)
    updated = st.ewma_covariance_update(before, returns[-1], decay=0.97)
    assert updated == pytest.approx(expected, rel=1e-12)
    one = st.ewma_volatilities(returns[:, 0], decay=0.97)
    assert one[-1] == pytest.approx(math.sqrt(expected[0, 0]), rel=1e-12)
    assert len(one) == 91
    last = st.ewma_volatility_update(one[-2], returns[-1, 0], decay=0.97)
    assert last == pytest.approx(one[-1], rel=1e-14)


def test_shrinkage_is_the_formula_of_2004(draw: np.random.Generator) -> None:
    returns = draw.normal(size=(25, 5)) * [1, 2, 3, 4, 5]
    for of in ("covariance", "correlation"):
        x = returns - returns.mean(axis=0)
        if of == "correlation":
            x /= x.std(axis=0)
        count = len(x)
        sample = x.T @ x / count
        mu = sample.trace() / 5
        distance = ((sample - mu * np.eye(5)) ** 2).sum()
        spread = sum(((np.outer(row, row) - sample) ** 2).sum() for row in x) / count**2
        intensity = min(spread, distance) / distance
        found = st.ledoit_wolf(returns, of=of)
        assert found.intensity == pytest.approx(intensity, rel=1e-12)
        expected = (1 - intensity) * sample + intensity * mu * np.eye(5)
        assert found.covariance == pytest.approx(expected, rel=1e-11, abs=1e-13)


def test_no_correlation_matrix_is_nearer_than_the_nearest(draw: np.random.Generator) -> None:
    made = draw.uniform(-1, 1, (6, 6))
    given = (made + made.T) / 2
    np.fill_diagonal(given, 1)
    assert np.linalg.eigvalsh(given)[0] < -0.1
    found = st.nearest_correlation(given)
    assert np.linalg.eigvalsh(found.correlation)[0] > -1e-12
    assert found.correlation.diagonal().tolist() == [1.0] * 6
    assert found.distance == pytest.approx(np.linalg.norm(found.correlation - given), rel=1e-12)
    spectral = st.spectral_correlation(given)
    assert st.check_correlation(spectral.correlation) > -1e-12
    assert spectral.distance > found.distance
    # a convex set: no point of a segment from the nearest one to another is nearer
    for _ in range(50):
        root = draw.normal(size=(6, 6))
        other = root @ root.T
        scale = np.sqrt(other.diagonal())
        other /= np.outer(scale, scale)
        between = found.correlation + 1e-3 * (other - found.correlation)
        assert np.linalg.norm(between - given) >= found.distance
    assert st.nearest_correlation(found.correlation).distance < 1e-10
    raised = st.nearest_correlation(given, smallest_eigenvalue=1e-6)
    assert st.smallest_eigenvalue(raised.correlation) >= 1e-6


def test_betas_are_slopes(draw: np.random.Generator) -> None:
    market = draw.normal(size=300)
    asset = 1.4 * market + draw.normal(size=300)
    slope = np.polyfit(market, asset, 1)[0]
    assert st.beta(asset, market) == pytest.approx(slope, rel=1e-10)
    assert st.blume_beta(slope) == pytest.approx(0.67 * slope + 0.33, rel=1e-14)
    worst = market < np.sort(market)[30]
    expected = np.polyfit(market[worst], asset[worst], 1)[0]
    found = st.downside_beta(asset, market, quantile=0.1)
    assert found == pytest.approx(expected, rel=0.05)
    bound = sorted([np.sort(market)[29], np.sort(market)[30]])
    exact = [np.polyfit(market[market < b], asset[market < b], 1)[0] for b in bound]
    assert any(found == pytest.approx(each, rel=1e-9) for each in exact)


def test_tests_of_exceedances_are_their_likelihood_ratios(draw: np.random.Generator) -> None:
    series = draw.random(500) < 0.03
    counts = st.exceedances(series)
    pairs = list(itertools.pairwise(series))
    assert counts.days == 500
    assert counts.exceeded == series.sum()
    assert counts.exceeded_calm == sum(a and not b for a, b in pairs)
    assert counts.exceeded_exceeded == sum(a and b for a, b in pairs)

    def log(count: float, share: float) -> float:
        return count * math.log(share) if count else 0.0

    n, x, p = 500, int(series.sum()), 0.025
    kupiec = 2 * (log(x, x / n) + log(n - x, 1 - x / n) - log(x, p) - log(n - x, 1 - p))
    coverage = st.proportion_of_failures(n, x, expected_rate=p)
    assert coverage.statistic == pytest.approx(kupiec, rel=1e-10)
    # chi-square of one and of two degrees of freedom beyond a bound
    assert coverage.p_value == pytest.approx(math.erfc(math.sqrt(kupiec / 2)), rel=1e-9)
    chance = [math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)]
    assert coverage.at_most == pytest.approx(sum(chance[: x + 1]), rel=1e-10)
    assert coverage.at_least == pytest.approx(sum(chance[x:]), rel=1e-10)
    unlikely = sum(each for each in chance if each <= chance[x] * (1 + 1e-7))
    assert coverage.exact_p_value == pytest.approx(unlikely, rel=1e-9)
    calm, after = counts.calm_calm + counts.calm_exceeded, counts.exceeded_calm
    after += counts.exceeded_exceeded
    hits = counts.calm_exceeded + counts.exceeded_exceeded
    ratio = 2 * (
        log(counts.calm_calm, counts.calm_calm / calm)
        + log(counts.calm_exceeded, counts.calm_exceeded / calm)
        + log(counts.exceeded_calm, counts.exceeded_calm / after)
        + log(counts.exceeded_exceeded, counts.exceeded_exceeded / after)
        - log(499 - hits, 1 - hits / 499)
        - log(hits, hits / 499)
    )
    assert st.independence(counts).statistic == pytest.approx(ratio, rel=1e-9)
    both = st.conditional_coverage(counts, expected_rate=p)
    assert both.statistic == pytest.approx(kupiec + ratio, rel=1e-9)
    assert both.p_value == pytest.approx(math.exp(-(kupiec + ratio) / 2), rel=1e-9)


def test_a_model_that_is_right_is_rarely_rejected_and_a_light_one_often(
    draw: np.random.Generator,
) -> None:
    shortfall = st.normal_tail(1.0, confidence=0.975)
    terms = [shortfall.value_at_risk] * 250, [shortfall.expected_shortfall] * 250

    def rejected(scale: float) -> float:
        tests = [
            st.shortfall_test(draw.normal(size=250) * scale, *terms, expected_rate=0.025)
            for _ in range(400)
        ]
        assert all(test.reason == "" for test in tests)
        return sum(test.verdict != "accepted" for test in tests) / 400

    # 5 % with three standard errors of 400 trials
    assert rejected(1.0) < 0.05 + 3 * math.sqrt(0.05 * 0.95 / 400)
    assert rejected(1.4) > 0.5


def test_the_probability_of_liquidation_is_that_of_fine_paths(draw: np.random.Generator) -> None:
    volatility, leverage, maintenance, drift, years = 0.8, 6.0, 0.02, 0.3, 20 / 365
    for side, sign in (("long", 1.0), ("short", -1.0)):
        barrier = math.log((1 - sign / leverage) / (1 - sign * maintenance))
        steps, paths = 250, 20_000
        dt = years / steps
        moves = draw.normal(size=(paths, steps)) * volatility * math.sqrt(dt)
        walk = np.cumsum(moves + (drift - volatility**2 / 2) * dt, axis=1)
        before = np.hstack([np.zeros((paths, 1)), walk[:, :-1]])
        # between two points a bridge stays clear of the barrier with this probability
        gaps = sign * (walk - barrier), sign * (before - barrier)
        alive = np.where(
            (gaps[0] > 0) & (gaps[1] > 0),
            1 - np.exp(-2 * gaps[0] * gaps[1] / (volatility**2 * dt)),
            0.0,
        ).prod(axis=1)
        expected, error = 1 - alive.mean(), alive.std() / math.sqrt(paths)
        found = st.liquidation_probability(
            leverage,
            maintenance_rate=maintenance,
            volatility=volatility,
            years=years,
            drift=drift,
            side=side,
        )
        assert abs(found - expected) < 4 * error


def test_copulas_have_the_dependence_of_their_samples() -> None:
    covariance = [[1.0, 0.6], [0.6, 1.0]]
    moves = st.factor_moves(covariance, 1500, seed=5)
    concordant = np.sign(np.subtract.outer(moves[0], moves[0])) * np.sign(
        np.subtract.outer(moves[1], moves[1])
    )
    tau = concordant.sum() / (1500 * 1499)
    assert tau == pytest.approx(st.kendall_tau(0.6), abs=0.04)
    ranks = np.argsort(np.argsort(moves, axis=1), axis=1)
    assert np.asarray(np.corrcoef(ranks))[0, 1] == pytest.approx(st.spearman_rho(0.6), abs=0.05)
    assert st.correlation_of_kendall_tau(st.kendall_tau(-0.3)) == pytest.approx(-0.3, rel=1e-14)
    # P(V < q | U < q) of a Student copula tends to its tail dependence, here at a small q
    moves = st.factor_moves(covariance, 400_000, seed=5, degrees_of_freedom=3)
    low = moves < np.quantile(moves, 0.002, axis=1, keepdims=True)
    share = (low[0] & low[1]).sum() / low[0].sum()
    assert share == pytest.approx(st.tail_dependence(3, 0.6), abs=0.06)


def test_filtered_returns_and_ages(draw: np.random.Generator) -> None:
    returns, forecasts = draw.normal(size=50), draw.uniform(0.5, 2, 50)
    found = st.filtered_returns(returns, forecasts, today=1.0, cap=1.5, floor=1.2)
    expected = returns * np.clip(1.2 / forecasts, 1 / 1.5, 1.5)
    assert found == pytest.approx(expected, rel=1e-14)
    ages = st.age_weights(100, decay=0.95)
    raw = 0.95 ** np.arange(99, -1, -1)
    assert ages.weights == pytest.approx(raw / raw.sum(), rel=1e-12)
    assert ages.effective_size == pytest.approx(raw.sum() ** 2 / (raw**2).sum(), rel=1e-12)
    assert st.effective_size(ages.weights) == ages.effective_size
    assert ages.total == pytest.approx(1, abs=1e-15)


def test_the_facade_shows_the_module_by_its_name() -> None:
    import crossmargin  # noqa: PLC0415  # the lazy attribute is what is tested

    assert crossmargin.statistics is st
    assert "statistics" in dir(crossmargin)
    assert sorted(st.__all__) == st.__all__
    assert all(hasattr(st, name) for name in st.__all__)
