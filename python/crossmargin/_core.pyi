# The compiled core; written by hand, checked by stubtest.

from collections.abc import Callable, Sequence
from typing import ClassVar, Literal, Self, TypeAlias, TypedDict, final, type_check_only

import numpy as np
import numpy.typing as npt

__all__ = [
    "Account",
    "Accounts",
    "Book",
    "CrossmarginError",
    "History",
    "JointBook",
    "MissingError",
    "NoAnswerError",
    "NotCoveredError",
    "OutOfRangeError",
    "RulebookError",
    "Scenarios",
    "ShapeError",
    "Strikes",
    "TableError",
    "UnknownWordError",
    "accepted_failures",
    "accounts",
    "age_weights",
    "autocorrelated_factor",
    "backtest",
    "barrier_liquidation_probability",
    "beta",
    "black76",
    "blume_beta",
    "book_correlations",
    "build_book",
    "build_information",
    "calibrate",
    "cheapest_reduction",
    "check_correlation",
    "check_history",
    "compare",
    "concentration",
    "conditional_coverage",
    "cornish_fisher_quantile",
    "correlation_change",
    "correlation_of",
    "correlation_of_kendall_tau",
    "count_exceedances",
    "covariance_of",
    "cumulative_amounts",
    "cure",
    "descending_order",
    "difference",
    "distance_to_liquidation",
    "downside_beta",
    "effective_size",
    "elasticity_ratio",
    "emir_options",
    "ewma_covariance",
    "ewma_covariance_update",
    "ewma_volatilities",
    "ewma_volatility_update",
    "execution_schedule",
    "expected_shortfall_error",
    "expected_shortfall_exceedance_rate",
    "factor_moves",
    "filtered_returns",
    "fraction_to_close",
    "garch_long_run_volatility",
    "garch_volatility_update",
    "greedy_cuts",
    "grid",
    "growth_rate",
    "half_life",
    "history_correlations",
    "horizon",
    "horizon_volatility",
    "impact",
    "implied_volatilities",
    "independence",
    "inspect",
    "join_histories",
    "kelly",
    "kendall_tau",
    "largest_rows",
    "largest_size",
    "largest_size_table",
    "ledoit_wolf",
    "leverage_cap",
    "leverage_caps",
    "limits",
    "linear_liquidation_prices",
    "liquidation_map",
    "liquidation_probability",
    "liquidation_zones",
    "liquidity_adjusted_value_at_risk",
    "lognormal_shortfall_rates",
    "losses_in_scenarios",
    "margin_procyclicality",
    "nearest_scenarios",
    "normal_implied_volatility",
    "normal_tail",
    "open_interest_rate",
    "option_greeks",
    "option_values",
    "order_statistic_coverage",
    "order_statistic_ranks",
    "proportion_of_failures",
    "pure_gamma_tail",
    "quadratic_reduction",
    "rank_value",
    "repaired_correlation",
    "risk_budget_weights",
    "rulebook_difference",
    "rulebook_list",
    "rulebook_parts",
    "rulebook_text",
    "rulebook_text_of_rows",
    "sample_covariance",
    "sample_tail",
    "sampling_errors",
    "scaled_haircut",
    "scenario_reduction",
    "schedule_table",
    "settlement_delta",
    "shortfall_contributions",
    "shortfall_critical_values",
    "shortfall_test",
    "simd_level",
    "simd_levels",
    "single_prices",
    "size_premium",
    "smallest_eigenvalue",
    "spearman_rho",
    "splice_histories",
    "spot_implied_volatility",
    "spot_option",
    "square_root_impact",
    "step_multiplier",
    "stress",
    "stressed_correlation",
    "student_tail",
    "tail_dependence",
    "traffic_light",
    "unwind_factor",
    "value_at_risk_interval",
    "volatility_contributions",
    "volatility_target_weight",
    "what_if",
    "what_if_number",
    "withdrawable",
    "withdrawable_table",
]

_Rows: TypeAlias = tuple[tuple[str, ...], list[tuple[float | str | None, ...]], str]

class CrossmarginError(ValueError):
    sign: ClassVar[str]

class OutOfRangeError(CrossmarginError): ...
class ShapeError(CrossmarginError): ...
class UnknownWordError(CrossmarginError): ...
class MissingError(CrossmarginError): ...
class TableError(CrossmarginError): ...
class RulebookError(CrossmarginError): ...
class NotCoveredError(CrossmarginError): ...
class NoAnswerError(CrossmarginError): ...

@final
class History:
    def __new__(
        cls,
        prices: object,
        *,
        coin: str | None = None,
        step: float | None = None,
        partial: bool = False,
    ) -> Self: ...
    @property
    def key(self) -> str: ...
    @property
    def hash(self) -> str: ...
    @property
    def row_count(self) -> int: ...
    def check(self, view: str) -> _Rows: ...

@final
class Book:
    @property
    def key(self) -> str: ...
    @property
    def hash(self) -> str: ...
    @property
    def row_count(self) -> int: ...
    @property
    def as_of(self) -> str: ...
    @property
    def accounts(self) -> list[str]: ...
    @property
    def report_currencies(self) -> list[str]: ...
    def equity(self, basis: str, scope: str) -> float: ...
    def initial_margin(self, scope: str) -> float: ...
    def maintenance_margin(self, scope: str) -> float: ...
    def ratio(self, style: str, scope: str) -> float: ...
    def excess(self, above: str, scope: str) -> float: ...
    def summary(self, group_by: str) -> _Rows: ...
    def liquidation_prices(
        self, underlying: str | None, path: str, which: str, options: Sequence[tuple[str, str]]
    ) -> _Rows: ...
    def liquidation_price(
        self,
        underlying: str,
        side: str,
        path: str,
        which: str,
        options: Sequence[tuple[str, str]],
    ) -> float: ...
    def liquidation_order(
        self, scenario: str, max_steps: float, options: Sequence[tuple[str, str]]
    ) -> _Rows: ...
    def first_liquidated(
        self, count: int, scenario: str, sentence: bool, options: Sequence[tuple[str, str]]
    ) -> list[str]: ...
    def liquidation_policies(
        self,
        scenario: str,
        policies: str,
        max_steps: float,
        options: Sequence[tuple[str, str]],
    ) -> _Rows: ...
    def deleveraging(
        self,
        candidates: object,
        deficit: float | None,
        form: str,
        options: Sequence[tuple[str, str]],
    ) -> _Rows: ...
    def tiers(self, horizon: float) -> _Rows: ...
    def collateral(self, sort: str) -> _Rows: ...
    def recon(self, tolerance: float, relative: bool, scope: str) -> _Rows: ...
    def compared(self, rulebooks: Sequence[tuple[str, str, str]], triggers: bool) -> _Rows: ...
    def explain(self, measure: str, group_by: str) -> _Rows: ...
    def scenarios(self, unit: str, layout: str) -> _Rows: ...
    def exposure(self, group_by: str, unit: str) -> _Rows: ...
    def contributions(
        self, measure: str, group_by: str, options: Sequence[tuple[str, str]]
    ) -> _Rows: ...
    def tail(
        self,
        measure: str,
        confidence: float | None,
        horizon_days: float | None,
        method: str | None,
        options: Sequence[tuple[str, str]],
        progress: Callable[[int, int], object] | None,
    ) -> _Rows: ...
    def check(self, view: str) -> _Rows: ...
    def stamp(self) -> _Rows: ...
    def assumptions(self) -> _Rows: ...

def build_book(
    positions: object,
    rulebooks: Sequence[tuple[str, str, str]],
    *,
    collateral: object = None,
    market: object = None,
    orders: object = None,
    brackets: object = None,
    correlations: object = None,
    history: History | None = None,
    as_of: str | None = None,
    partial: bool = False,
) -> Book: ...
def book_correlations(book: Book, view: str, options: list[tuple[str, str]]) -> _Rows: ...
def history_correlations(history: History, view: str, options: list[tuple[str, str]]) -> _Rows: ...
def check_history(prices: object) -> _Rows: ...
def join_histories(histories: Sequence[History], clash: str) -> History: ...
def inspect(
    rulebooks: Sequence[tuple[str, str, str]],
    *,
    positions: object = None,
    collateral: object = None,
    market: object = None,
    orders: object = None,
    brackets: object = None,
) -> tuple[_Rows, _Rows, _Rows]: ...
def backtest(
    book: Book,
    measure: str,
    options: Sequence[tuple[str, str]],
    progress: Callable[[int, int], None] | None,
) -> _Rows: ...
def calibrate(
    book: Book,
    what: str,
    options: Sequence[tuple[str, str]],
    progress: Callable[[int, int], None] | None,
) -> _Rows: ...
def splice_histories(histories: Sequence[History]) -> History: ...
def single_prices(
    quantity: float,
    entry: float,
    rate: float,
    *,
    collateral: float | None,
    leverage: float | None,
    start: float | None,
    inverse: bool,
    fee: float,
    amount: float,
    other: float,
    on_entry: bool,
    tick: float | None,
) -> tuple[float | None, float | None, float | None, float | None, bool, str]: ...
def linear_liquidation_prices(
    quantity: npt.NDArray[np.float64],
    entry: npt.NDArray[np.float64],
    collateral: npt.NDArray[np.float64],
    floors: Sequence[float],
    rates: Sequence[float],
) -> npt.NDArray[np.float64]: ...
def option_values(
    is_call: npt.NDArray[np.bool_],
    forward: npt.NDArray[np.float64],
    strike: npt.NDArray[np.float64],
    volatility: npt.NDArray[np.float64],
    years: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]: ...
def option_greeks(
    is_call: npt.NDArray[np.bool_],
    forward: npt.NDArray[np.float64],
    strike: npt.NDArray[np.float64],
    volatility: npt.NDArray[np.float64],
    years: npt.NDArray[np.float64],
) -> tuple[
    npt.NDArray[np.float64],
    npt.NDArray[np.float64],
    npt.NDArray[np.float64],
    npt.NDArray[np.float64],
    npt.NDArray[np.float64],
]: ...
def implied_volatilities(
    is_call: npt.NDArray[np.bool_],
    price: npt.NDArray[np.float64],
    forward: npt.NDArray[np.float64],
    strike: npt.NDArray[np.float64],
    years: npt.NDArray[np.float64],
    keep_going: bool,
) -> tuple[npt.NDArray[np.float64], list[tuple[int, str]]]: ...
def cumulative_amounts(
    floors: Sequence[float], rates: Sequence[float], first_amount: float
) -> list[float]: ...
def rank_value(
    unrealised_pnl: float, wallet_balance: float, margin_ratio: float
) -> tuple[float, float]: ...
def compare(books: Sequence[tuple[str, Book]]) -> _Rows: ...
def limits(
    book: Book,
    table: object | None,
    options: Sequence[tuple[str, str]],
    progress: Callable[[int, int], object] | None = None,
) -> _Rows: ...
def grid(
    book: Book,
    underlying: str,
    price_moves: Sequence[float],
    volatility_moves: Sequence[float],
    days: Sequence[float],
    measure: str,
    options: Sequence[tuple[str, str]],
) -> _Rows: ...
def stress(
    book: Book, words: str, table: object | None, options: Sequence[tuple[str, str]]
) -> _Rows: ...
def horizon(book: Book, dates: Sequence[str], measure: str, funding: bool) -> _Rows: ...
def difference(
    old: Book, new: Book, measure: str, group_by: str, options: Sequence[tuple[str, str]]
) -> _Rows: ...
def accounts(
    books: Sequence[Book], top: float, sort: str, options: Sequence[tuple[str, str]]
) -> _Rows: ...
def leverage_caps(book: Book, scope: str, options: Sequence[tuple[str, str]]) -> _Rows: ...
def largest_size(
    book: Book,
    symbol: str,
    side: str,
    limit: str,
    limits: object | None,
    options: Sequence[tuple[str, str]],
    progress: Callable[[int, int], object] | None = None,
) -> float: ...
def largest_size_table(
    book: Book,
    symbol: str,
    side: str,
    limit: str,
    limits: object | None,
    options: Sequence[tuple[str, str]],
    progress: Callable[[int, int], object] | None = None,
) -> _Rows: ...
def liquidation_probability(
    book: Book,
    scope: str,
    options: Sequence[tuple[str, str]],
    progress: Callable[[int, int], object] | None = None,
) -> _Rows: ...
def liquidation_zones(
    book: Book,
    underlying: str | None,
    path: str,
    which: str,
    options: Sequence[tuple[str, str]],
) -> _Rows: ...
def liquidation_map(
    book: Book,
    x: tuple[str, Sequence[float]],
    y: tuple[str, Sequence[float]],
    measure: str,
    account: str,
) -> _Rows: ...
def nearest_scenarios(
    book: Book, factors: str, scale: str, options: Sequence[tuple[str, str]]
) -> _Rows: ...
def what_if(book: Book, trades: object, measure: str) -> _Rows: ...
def what_if_number(book: Book, trades: object, measure: str) -> float: ...
def impact(
    book: Book, instruments: Sequence[str], sizes: Sequence[float], measure: str
) -> _Rows: ...
def cure(
    book: Book,
    target: str,
    allowed: str,
    max_rows: float,
    options: Sequence[tuple[str, str]],
    progress: Callable[[int, int], object] | None = None,
) -> _Rows: ...
def withdrawable(book: Book, currency: str, account: str) -> float: ...
def withdrawable_table(book: Book, currency: str, account: str) -> _Rows: ...
def schedule_table(
    quantity: float,
    days: float,
    price: float,
    daily_volatility: float,
    daily_volume: float,
    half_spread: float,
    options: Sequence[tuple[str, str]],
) -> _Rows: ...
def execution_schedule(
    quantity: float,
    days: float,
    periods: int,
    volatility: float,
    half_spread: float,
    permanent: float,
    temporary: float,
    risk_aversion: float,
    kind: str,
) -> tuple[list[float], list[float], float, float, float | None, float | None]: ...
def cheapest_reduction(
    relief: Sequence[float], cost: Sequence[float], need: float, kind: str
) -> tuple[list[float], float]: ...
def quadratic_reduction(
    impact: Sequence[float], relief: Sequence[float], need: float
) -> tuple[list[float], float]: ...
def fraction_to_close(
    notional: float, maintenance_rate: float, equity: float, cost: float, multiple: float
) -> float: ...
def scenario_reduction(
    results: npt.NDArray[np.float64],
    cost: Sequence[float],
    equity: float,
    multiple: float,
    charges: float,
) -> tuple[list[float], float, float, float, float, list[float]]: ...
def greedy_cuts(
    results: npt.NDArray[np.float64],
    quantities: npt.NDArray[np.float64],
    share: float,
    target: float,
    most_steps: int,
) -> tuple[list[int], list[float], list[float]]: ...
def descending_order(values: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]: ...
def largest_rows(values: npt.NDArray[np.float64], count: int) -> npt.NDArray[np.int64]: ...
def losses_in_scenarios(
    offsets: npt.NDArray[np.int64],
    instrument: npt.NDArray[np.int64],
    quantity: npt.NDArray[np.float64],
    scenario: npt.NDArray[np.int64],
    results: npt.NDArray[np.float64],
    threads: int | None,
) -> npt.NDArray[np.float64]: ...
def rulebook_list() -> _Rows: ...
def rulebook_parts(form: str, text: str, part: str) -> _Rows: ...
def rulebook_difference(a: tuple[str, str], b: tuple[str, str]) -> _Rows: ...
def rulebook_text(form: str, text: str) -> str: ...
def rulebook_text_of_rows(rows: object) -> str: ...
def build_information() -> tuple[str, str, str, str]: ...

_Numbers: TypeAlias = npt.NDArray[np.float64]
_Integers: TypeAlias = npt.NDArray[np.int64]

@final
class Strikes:
    def __new__(
        cls,
        strike: _Numbers,
        forward: _Numbers,
        years: _Numbers,
        volatility: _Numbers,
        tenor_weight: _Numbers | None,
        expiry: _Integers | None,
        underlying: _Integers | None,
    ) -> Strikes: ...
    def __len__(self) -> int: ...

@final
class Scenarios:
    def __new__(cls, price_move: _Numbers, volatility_move: _Numbers) -> Scenarios: ...
    def __len__(self) -> int: ...

@final
class Account:
    def __new__(
        cls,
        strikes: Strikes,
        index: _Integers,
        is_call: npt.NDArray[np.bool_],
        quantity: _Numbers,
    ) -> Account: ...
    def scenario_pnl(self, scenarios: Scenarios) -> _Numbers: ...

@final
class Accounts:
    def __new__(
        cls, strikes: Strikes, offsets: _Integers, instrument: _Integers, quantity: _Numbers
    ) -> Accounts: ...
    def __len__(self) -> int: ...
    def worst_loss(
        self,
        scenarios: Scenarios,
        discounts: tuple[_Numbers, _Numbers] | None,
        threads: int | None,
    ) -> _Numbers: ...
    def liquidation_prices(
        self,
        need: _Numbers,
        lowest: float,
        price: float | None,
        points: int,
        threads: int | None,
    ) -> _Numbers: ...

@type_check_only
class _JointTail(TypedDict):
    expected_shortfall: float
    value_at_risk: float
    components: _Numbers
    scenarios: _Integers
    weights: _Numbers
    method: Literal["full", "screened", "delta_gamma"]
    valued: int
    bound: float
    error: float
    difference: float | None
    refined: int
    fallback: str

@final
class JointBook:
    def __new__(
        cls, strikes: Strikes, index: _Integers, is_call: npt.NDArray[np.bool_], quantity: _Numbers
    ) -> JointBook: ...
    def __len__(self) -> int: ...
    @property
    def underlyings(self) -> int: ...
    def profits(
        self,
        price_moves: _Numbers,
        volatility_moves: _Numbers,
        threads: int | None,
        progress: Callable[[int, int], object] | None,
    ) -> _Numbers: ...
    def tail(
        self,
        price_moves: _Numbers,
        volatility_moves: _Numbers,
        confidence: float,
        probabilities: _Numbers | None,
        method: str,
        threads: int | None,
        progress: Callable[[int, int], object] | None,
    ) -> _JointTail: ...

def simd_level() -> str: ...
def simd_levels() -> list[str]: ...
def spot_option(
    is_call: bool,
    spot: float,
    strike: float,
    volatility: float,
    years: float,
    rate: float,
    dividend_yield: float,
) -> list[float]: ...
def spot_implied_volatility(
    is_call: bool,
    price: float,
    spot: float,
    strike: float,
    years: float,
    rate: float,
    dividend_yield: float,
) -> float: ...
def normal_implied_volatility(
    is_call: bool, price: float, forward: float, strike: float, years: float
) -> float: ...
def settlement_delta(
    delta: float, mark_price: float, elapsed_seconds: float, window_seconds: float
) -> tuple[float, float]: ...
def black76(
    forward: float, strike: float, volatility: float, years: float, discount: float
) -> tuple[float, float]: ...

_Booleans: TypeAlias = npt.NDArray[np.bool_]
_Pairs: TypeAlias = tuple[int, int, int, int]

def sample_tail(
    losses: _Numbers, probabilities: _Numbers | None, confidence: float, first_listed: bool
) -> tuple[float, float, list[int], _Numbers]: ...
def shortfall_contributions(
    pnl: _Numbers,
    positions: int,
    probabilities: _Numbers | None,
    confidence: float,
    first_listed: bool,
) -> tuple[_Numbers, float, float, _Numbers, _Numbers, _Numbers]: ...
def value_at_risk_interval(
    losses: _Numbers, probabilities: _Numbers | None, confidence: float, coverage: float
) -> tuple[float | None, float | None, float]: ...
def order_statistic_ranks(
    count: int, confidence: float, coverage: float
) -> tuple[int | None, int | None, float]: ...
def order_statistic_coverage(
    count: int, confidence: float, lower: int | None, upper: int | None
) -> float: ...
def sampling_errors(
    volatility: float, confidence: float, count: float, degrees_of_freedom: float | None
) -> tuple[float, float]: ...
def expected_shortfall_error(
    losses: _Numbers, probabilities: _Numbers | None, confidence: float
) -> float: ...
def effective_size(weights: _Numbers) -> float: ...
def horizon_volatility(volatility: float, horizon_days: float, days_per_year: float) -> float: ...
def normal_tail(volatility: float, confidence: float, value: float) -> tuple[float, float]: ...
def student_tail(
    spread: float, degrees_of_freedom: float, confidence: float, value: float, is_scale: bool
) -> tuple[float, float]: ...
def pure_gamma_tail(gamma: float, volatility: float, confidence: float) -> tuple[float, float]: ...
def cornish_fisher_quantile(
    probability: float, skewness: float, excess_kurtosis: float, whole_law: bool
) -> float: ...
def lognormal_shortfall_rates(
    tail_probability: float, volatility: float, years: float, drift: float
) -> tuple[float, float]: ...
def expected_shortfall_exceedance_rate(confidence: float) -> float: ...
def tail_dependence(degrees_of_freedom: float, correlation: float) -> float: ...
def kendall_tau(correlation: float) -> float: ...
def correlation_of_kendall_tau(tau: float) -> float: ...
def spearman_rho(correlation: float) -> float: ...
def volatility_contributions(
    exposures: _Numbers, covariance: _Numbers, confidence: float | None, multiple: float | None
) -> tuple[
    float,
    float,
    list[_Numbers],
    list[list[int]],
]: ...
def sample_covariance(returns: _Numbers, factors: int, mean_zero: bool) -> _Numbers: ...
def ewma_covariance(returns: _Numbers, factors: int, decay: float, start: int) -> _Numbers: ...
def ewma_covariance_update(covariance: _Numbers, latest: _Numbers, decay: float) -> _Numbers: ...
def ledoit_wolf(
    returns: _Numbers, factors: int, of_correlation: bool
) -> tuple[float, _Numbers]: ...
def correlation_of(covariance: _Numbers, size: int) -> tuple[_Numbers, _Numbers]: ...
def covariance_of(volatilities: _Numbers, correlation: _Numbers) -> _Numbers: ...
def check_correlation(correlation: _Numbers, size: int) -> float: ...
def smallest_eigenvalue(matrix: _Numbers, size: int) -> float: ...
def repaired_correlation(
    matrix: _Numbers, size: int, smallest_eigenvalue: float, spectral: bool
) -> tuple[_Numbers, float, int]: ...
def stressed_correlation(
    correlation: _Numbers,
    size: int,
    share: float,
    towards_one: bool,
    signs: _Numbers | None,
    target: _Numbers | None,
) -> _Numbers: ...
def correlation_change(fast: float, slow: float, effective_observations: float) -> float: ...
def beta(asset: _Numbers, market: _Numbers) -> float: ...
def downside_beta(asset: _Numbers, market: _Numbers, quantile: float) -> float: ...
def blume_beta(beta: float) -> float: ...
def ewma_volatility_update(volatility: float, latest: float, decay: float) -> float: ...
def ewma_volatilities(returns: _Numbers, decay: float, start: int) -> _Numbers: ...
def half_life(decay: float) -> float: ...
def garch_volatility_update(
    omega: float, alpha: float, beta: float, volatility: float, latest: float
) -> float: ...
def garch_long_run_volatility(omega: float, alpha: float, beta: float) -> float: ...
def age_weights(count: int, decay: float) -> tuple[_Numbers, float, float]: ...
def filtered_returns(
    returns: _Numbers, forecasts: _Numbers, today: float, cap: float | None, floor: float | None
) -> _Numbers: ...
def count_exceedances(exceeded: _Booleans) -> tuple[int, int, _Pairs]: ...
def proportion_of_failures(
    days: int, exceeded: int, expected_rate: float
) -> tuple[float, float, float, float, float]: ...
def accepted_failures(days: int, expected_rate: float, level: float) -> tuple[int, int]: ...
def independence(pairs: _Pairs) -> tuple[float, float]: ...
def conditional_coverage(
    days: int, exceeded: int, pairs: _Pairs, expected_rate: float
) -> tuple[float, float]: ...
def traffic_light(days: int, exceeded: int, expected_rate: float) -> tuple[str, float]: ...
def shortfall_test(
    pnl: _Numbers, value_at_risk: _Numbers, expected_shortfall: _Numbers, expected_rate: float
) -> tuple[float | None, float, int, str | None, str]: ...
def shortfall_critical_values(
    days: int,
    expected_rate: float,
    levels: _Numbers,
    degrees_of_freedom: float | None,
    histories: int,
    seed: int,
    threads: int | None,
) -> _Numbers: ...
def margin_procyclicality(margins: _Numbers, steps: int) -> tuple[float, float, float]: ...
def emir_options(
    margin: float, stressed: float, ten_years: float, share: float
) -> tuple[float, float, float]: ...
def step_multiplier(stress: float, thresholds: _Numbers, multipliers: _Numbers) -> float: ...
def liquidity_adjusted_value_at_risk(
    value: float,
    volatility: float,
    confidence: float | None,
    multiple: float | None,
    spread: float,
    spread_volatility: float,
    spread_multiple: float,
) -> tuple[float, float, float]: ...
def elasticity_ratio(elasticity: float, traded_share: float) -> float: ...
def square_root_impact(
    quantity: float,
    price: float,
    daily_volume: float,
    daily_volatility: float,
    coefficient: float,
) -> tuple[float, float, float, float]: ...
def concentration(
    quantity: float,
    price: float,
    half_spread: float,
    daily_volume: float,
    daily_volatility: float,
    coefficient: float,
    free_share: float,
    participation: float,
) -> tuple[float, float, float]: ...
def unwind_factor(days: float) -> float: ...
def autocorrelated_factor(days: int, autocorrelation: float) -> tuple[float, float]: ...
def scaled_haircut(haircut: float, days_between: float, holding_days: float) -> float: ...
def kelly(drift: float, volatility: float) -> tuple[float, float, float, float]: ...
def growth_rate(fraction: float, drift: float, volatility: float) -> float: ...
def volatility_target_weight(target: float, volatility: float) -> float: ...
def leverage_cap(
    budget: float, volatility: float, confidence: float, horizon_days: float, days_per_year: float
) -> float: ...
def barrier_liquidation_probability(
    leverage: float,
    maintenance_rate: float,
    is_long: bool,
    volatility: float,
    years: float,
    drift: float,
) -> float: ...
def distance_to_liquidation(
    price: float, liquidation_price: float, volatility: float, days_per_year: float
) -> tuple[float, float, float, float]: ...
def open_interest_rate(rate: float, open_interest: float, lower: float, upper: float) -> float: ...
def risk_budget_weights(covariance: _Numbers, budgets: _Numbers) -> _Numbers: ...
def size_premium(weight: float, coefficient: float, size: float) -> float: ...
def factor_moves(
    covariance: _Numbers,
    size: int,
    paths: int,
    seed: int,
    degrees_of_freedom: float | None,
    sobol: bool,
    antithetic: bool,
    threads: int | None,
) -> _Numbers: ...
