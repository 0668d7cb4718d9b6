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
    "black76",
    "book_correlations",
    "build_book",
    "build_information",
    "check_history",
    "compare",
    "cumulative_amounts",
    "history_correlations",
    "implied_volatilities",
    "inspect",
    "join_histories",
    "largest_size",
    "largest_size_table",
    "leverage_caps",
    "limits",
    "linear_liquidation_prices",
    "liquidation_probability",
    "normal_implied_volatility",
    "option_greeks",
    "option_values",
    "rank_value",
    "rulebook_difference",
    "rulebook_list",
    "rulebook_parts",
    "rulebook_text",
    "rulebook_text_of_rows",
    "settlement_delta",
    "simd_level",
    "simd_levels",
    "single_prices",
    "spot_implied_volatility",
    "spot_option",
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
