"""The part of the public interface that adapters use, and how it is loaded."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast

Row = Mapping[str, object]
Rows = Sequence[Row]


class Table(Protocol):
    """A table of results."""

    def records(self) -> list[dict[str, Any]]:
        """Return the rows, each as a mapping from header to value."""


class SpotOption(Protocol):
    """Value and sensitivities of one option on a spot price."""

    value: float
    delta: float
    gamma: float
    vega: float
    theta: float
    theta_per_day: float
    rho: float
    dividend_rho: float
    elasticity: float
    forward: float


class SinglePrice(Protocol):
    """Prices of one position without a book."""

    liquidation_price: float | None
    bankruptcy_price: float | None
    bankruptcy_price_rounded: float | None
    distance: float | None


class AdlRank(Protocol):
    """The figures by which a venue ranks positions for auto-deleveraging."""

    pnl_percent: float
    leverage_pnl: float


class Facade(Protocol):
    """The functions of ``crossmargin`` that adapters call, as they are documented there."""

    @property
    def statistics(self) -> Any:
        """The module ``crossmargin.statistics``, whose sixty functions are not written twice."""

    def book(  # noqa: PLR0913  the public signature
        self,
        positions: Rows,
        rulebook: str | Mapping[str, object],
        *,
        collateral: Rows | None = None,
        market: Rows | None = None,
        orders: Rows | None = None,
        as_of: str | None = None,
        options: Row | None = None,
    ) -> object: ...

    def maintenance_margin(self, book: object, *, scope: str = "all") -> float: ...

    def initial_margin(self, book: object, *, scope: str = "all") -> float: ...

    def equity(self, book: object, *, basis: str = "gross") -> float: ...

    def excess(self, book: object, *, above: str = "MM") -> float: ...

    def ratio(self, book: object, *, style: str = "usage") -> float: ...

    def collateral(self, book: object, *, sort: str = "usable") -> Table: ...

    def explanation(self, book: object, *, measure: str = "MM") -> Table: ...

    def exposure(self, book: object, *, group_by: str = "underlying") -> Table: ...

    def scenarios(self, book: object, *, risk_unit: str = "", layout: str = "matrix") -> Table: ...

    def black76(
        self,
        forward: float,
        strike: float,
        volatility: float,
        years: float,
        *,
        discount: float = 1.0,
    ) -> tuple[float, float]: ...

    def option_on_spot(  # noqa: PLR0913
        self,
        right: str,
        spot: float,
        strike: float,
        volatility: float,
        years: float,
        *,
        rate: float = 0.0,
        dividend_yield: float = 0.0,
    ) -> SpotOption: ...

    def spot_implied_volatility(  # noqa: PLR0913
        self,
        right: str,
        price: float,
        spot: float,
        strike: float,
        years: float,
        *,
        rate: float = 0.0,
        dividend_yield: float = 0.0,
    ) -> float: ...

    def normal_implied_volatility(
        self, right: str, price: float, forward: float, strike: float, years: float
    ) -> float: ...

    def implied_volatilities(
        self, right: str, price: float, forward: float, strike: float, years: float
    ) -> Any: ...

    def settlement_delta(
        self, delta: float, mark_price: float, elapsed_seconds: float
    ) -> tuple[float, float]: ...

    def tiers(self, book: object, *, horizon: float = 0.25) -> Table: ...

    def summary(self, book: object) -> Table: ...

    def liquidation_price(
        self,
        book: object,
        underlying: str,
        *,
        side: str = "nearest",
        which: str = "trigger",
        options: Row | None = None,
    ) -> float | None: ...

    def liquidation_zones(
        self,
        book: object,
        underlying: str | None = None,
        *,
        path: str = "alone",
        which: str = "trigger",
        options: Row | None = None,
    ) -> Table: ...

    def liquidation_order(
        self,
        book: object,
        *,
        scenario: str = "now",
        max_steps: int = 50,
        options: Row | None = None,
    ) -> Table: ...

    def liquidation_policies(
        self,
        book: object,
        *,
        scenario: str = "nearest",
        policies: str = "usual",
        options: Row | None = None,
    ) -> Table: ...

    def deleveraging(
        self,
        book: object,
        *,
        candidates: Rows | None = None,
        deficit: float | None = None,
        form: str = "all",
        options: Row | None = None,
    ) -> Table: ...

    def single_liquidation_price(  # noqa: PLR0913
        self,
        quantity: float,
        entry: float,
        collateral: float | None = None,
        maintenance_rate: float = 0.0,
        *,
        kind: str = "linear",
        other_maintenance: float = 0.0,
        options: Row | None = None,
    ) -> SinglePrice: ...

    def tier_amounts(
        self,
        rates: Sequence[float],
        *,
        floors: Sequence[float] | None = None,
        caps: Sequence[float | None] | None = None,
        first_amount: float = 0.0,
    ) -> list[float]: ...

    def adl_rank_value(
        self, unrealised_pnl: float, wallet_balance: float, margin_ratio: float
    ) -> AdlRank: ...

    def risk_contributions(self, book: object, *, measure: str = "MM") -> Table: ...

    def compare(self, books: Sequence[tuple[str, object]]) -> Table: ...


class MissingFacade:
    """Stands in where ``crossmargin`` cannot be imported, so that each case says so by name."""

    def __init__(self, problem: ImportError) -> None:
        self._problem = problem

    def __getattr__(self, name: str) -> object:
        """Refuse: nothing can be calculated."""
        message = f"crossmargin cannot be imported: {self._problem}"
        raise ImportError(message)


def load() -> Facade:
    """Return the package, or a stand-in that refuses each call where it cannot be imported."""
    try:
        return cast("Facade", importlib.import_module("crossmargin"))
    except ImportError as problem:
        return cast("Facade", MissingFacade(problem))
