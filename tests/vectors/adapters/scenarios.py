"""Portfolio margin of coin-settled contracts: risk vectors, their sum, the margins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.vectors.adapters import rulebooks
from tests.vectors.adapters.tables import table
from tests.vectors.view import Adapter, Shape, spelled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.vectors.facade import Facade
    from tests.vectors.view import Answer, CaseView, Fields

CURRENCY: Final = "USD"
COIN: Final = "COIN"


def _coin_rulebook(
    identifier: str, profile: Mapping[str, object], maintenance: float = 1.0
) -> dict[str, object]:
    """Return a rulebook that measures in the coin of its settlement."""
    measure = {"numeraire": "settle"}
    return rulebooks.scenarios(identifier, [profile], measure=measure, maintenance=maintenance)


def _inverse(symbol: str, coins: float, **columns: object) -> dict[str, object]:
    """Return a coin-settled position at a price of one dollar, where a contract is a coin."""
    return {
        "symbol": symbol,
        "type": "perpetual",
        "underlying": COIN,
        "settle": COIN,
        "inverse": "yes",
        "contracts": coins,
        "contractSize": 1.0,
        "markPrice": 1.0,
        "entryPrice": 1.0,
        **columns,
    }


def _coin_market() -> list[dict[str, object]]:
    return [{"underlying": COIN, "indexPrice": 1.0}]


RISK_VECTOR = Shape(required=spelled("position_btc", "moves"))


def risk_vector(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the profit and loss of one inverse position over a list of moves."""
    grid = {"set": "grid", "price_moves": fields["moves"]}
    rules = _coin_rulebook("case-risk-vector", {"underlyings": [COIN], "scenarios": [grid]})
    book = facade.book([_inverse("POSITION", fields["position_btc"])], rules, market=_coin_market())
    rows = facade.scenarios(book, risk_unit=COIN, layout="list").records()
    return {"pnl_btc": [row["pnl"] for row in rows]}


DERIBIT_MARGIN = Shape(
    required=spelled(
        "worst_case",
        "positions_btc",
        "annualised_move_risk",
        "min_annualised_move",
        "mm_factor",
    ),
    optional=spelled(
        "delta_shock",
        "correlation_contingency",
        "mmp_margin",
        "open_orders_margin",
        "spot_margin",
    ),
)


def _deribit(  # noqa: PLR0913  the parameters of a pair
    *,
    moves: Sequence[float],
    minimum: float,
    annualised: float,
    factor: float,
    orders: float,
    protection: float,
    beyond: Mapping[str, object] | None = None,
) -> dict[str, object]:
    charges = [
        {
            "name": "roll shock",
            "on": "roll",
            "stage": "inside",
            "minimum": minimum,
            "annualised": annualised,
            "growth": "exponential",
        },
        {
            "name": "market maker protection",
            "on": "fixed",
            "stage": "outside",
            "initial": protection,
            "maintenance": 0.0,
        },
        {
            "name": "open orders",
            "on": "fixed",
            "stage": "outside",
            "initial": orders,
            "maintenance": 0.0,
        },
    ]
    tails = {"set": "extended", "price_moves": list(TAIL_MOVES), "treatment": "extended"}
    profile = {
        "underlyings": [COIN],
        "settlement": "coin",
        "scenarios": [
            {"set": "standard", "price_moves": list(moves)},
            *([tails] if beyond else []),
        ],
        "gains": {"share": 0.0},
        "charges": charges,
        **({"extension": beyond} if beyond else {}),
    }
    return _coin_rulebook("case-deribit", profile, maintenance=factor)


def _figures(facade: Facade, book: object) -> dict[str, Any]:
    rows = facade.explanation(book, measure="IM").records()

    def base(name: str) -> object:
        return next(row["base"] for row in rows if row["component"].startswith(name))

    return {
        "worst_case": base("worst of"),
        "roll_shock": base("roll shock"),
        "initial_margin": facade.initial_margin(book),
        "maintenance_margin": facade.maintenance_margin(book),
        "delta_shock": 0,
        "correlation_contingency": 0,
    }


def _without_orders(facade: Facade, rows: Sequence[Mapping[str, object]], **rule: Any) -> float:
    rules = _deribit(**{**rule, "orders": 0.0, "protection": 0.0})
    book = facade.book(table(rows), rules, market=_coin_market(), as_of=AS_OF)
    return facade.initial_margin(book)


AS_OF: Final = "2024-06-17T10:00:00Z"
EXPIRY: Final = "2024-06-28"
TAIL_MOVES: Final = (-0.66, -0.33, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0)
STANDARD_MOVES: Final = (-0.16, -0.12, -0.08, -0.04, 0.0, 0.04, 0.08, 0.12, 0.16)


def _account(positions: Sequence[float]) -> list[dict[str, object]]:
    """Return a perpetual and, beside it, a future of another expiry."""
    perpetual, future = positions
    dated = {"type": "future", "expiry": EXPIRY}
    return [_inverse("PERPETUAL", perpetual), _inverse("FUTURE", future, **dated)]


def deribit_margin(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the margins of two positions whose worst case follows from them again."""
    rows = _account(fields["positions_btc"])
    rule = {
        "moves": STANDARD_MOVES,
        "minimum": fields["min_annualised_move"],
        "annualised": fields["annualised_move_risk"],
        "factor": fields["mm_factor"],
        "orders": fields["open_orders_margin"],
        "protection": fields["mmp_margin"],
    }
    book = facade.book(table(rows), _deribit(**rule), market=_coin_market(), as_of=AS_OF)
    return {
        **_figures(facade, book),
        "risk_matrix_margin": _without_orders(facade, rows, **rule),
    }


DERIBIT_ACCOUNT = Shape(
    required=spelled("positions_coin", "model_params"),
    optional=spelled(
        "currency",
        "index_price_btc_usd",
        "mark_prices",
        "timestamp_ms",
        "mmp_margin",
        "open_orders_margin",
    ),
)


def deribit_account(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for an account from its positions to its margins."""
    params = fields["model_params"]
    coin, general, pair = params["currency.btc"], params["general"], params["pair.btc_usd"]
    symbols = list(fields["positions_coin"])
    rows = _account(list(fields["positions_coin"].values()))
    rule = {
        "moves": STANDARD_MOVES,
        "minimum": coin["min_annualised_move"],
        "annualised": coin["annualised_move_risk"],
        "factor": general["mm_factor"],
        "orders": fields["open_orders_margin"],
        "protection": fields["mmp_margin"],
        "beyond": {
            "range": pair["price_range"],
            "factor": pair["extended_table_factor"],
            "dampener": coin["extended_dampener"],
        },
    }
    book = facade.book(table(rows), _deribit(**rule), market=_coin_market(), as_of=AS_OF)
    aggregated = facade.scenarios(book, risk_unit=COIN, layout="list").records()
    alone = {
        symbol: risk_vector(case, {"position_btc": amount, "moves": list(STANDARD_MOVES)}, facade)[
            "pnl_btc"
        ]
        for symbol, amount in zip(symbols, fields["positions_coin"].values(), strict=True)
    }
    worst = next(row for row in aggregated if row["counts"] == "yes")
    return {
        **_figures(facade, book),
        "risk_matrix_margin": _without_orders(facade, rows, **rule),
        "initial_risk_vector_standard_by_bucket": alone,
        "aggregated_standard_by_bucket": [
            row["pnl"] for row in aggregated if row["set"] == "standard"
        ],
        "aggregated_extended": [row["pnl"] for row in aggregated if row["set"] == "extended"],
        "worst_case_bucket": {
            "index": worst["id"],
            "bucket": worst["id"],
            "side": "left",
            "source": worst["set"],
        },
    }


AGGREGATE = Shape(required=spelled("vectors", "max_offsetable_pnl"))


def aggregate(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for vectors of two positions added up, gains counting as far as is said."""
    profile = {
        "underlyings": [COIN],
        "scenarios": [{"set": "standard", "price_moves": list(STANDARD_MOVES)}],
        "gains": {"share": 1.0, "cap": fields["max_offsetable_pnl"]},
    }
    rows = [
        _inverse(symbol.upper(), 1.0, riskArray="; ".join(str(value) for value in vector))
        for symbol, vector in fields["vectors"].items()
    ]
    book = facade.book(
        table(rows),
        _coin_rulebook("case-aggregate", profile),
        market=_coin_market(),
    )
    listed = facade.scenarios(book, risk_unit=COIN, layout="list").records()
    return {
        "aggregated": [row["pnl"] for row in listed],
        "worst_case": facade.maintenance_margin(book),
        "worst_case_move": next(row["price_move"] for row in listed if row["counts"] == "yes"),
    }


ADAPTERS: Final = (
    Adapter(RISK_VECTOR, risk_vector),
    Adapter(DERIBIT_MARGIN, deribit_margin),
    Adapter(DERIBIT_ACCOUNT, deribit_account),
    Adapter(AGGREGATE, aggregate),
)
