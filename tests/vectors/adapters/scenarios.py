"""Portfolio margin of delta-one books and risk arrays: Deribit, OKX, Paradex, SPAN, Dederi."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.vectors.adapters.tables import table
from tests.vectors.adapters.units import DAY_UNIT, LOSS_UNIT, YEAR_UNIT
from tests.vectors.view import Adapter, Shape, spelled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.vectors.facade import Facade
    from tests.vectors.view import Answer, CaseView, Fields

CURRENCY: Final = "USD"
COIN: Final = "COIN"


def _rulebook(  # noqa: PLR0913  a rulebook in a few words
    identifier: str,
    profiles: Sequence[Mapping[str, object]],
    *,
    numeraire: str = "report",
    initial: float = 1.0,
    maintenance: float = 1.0,
    option_value: str = "all",
) -> dict[str, object]:
    return {
        "id": identifier,
        "version": "1",
        "venue": "case",
        "report_currency": CURRENCY,
        "settle": CURRENCY,
        "source": "the inputs of the case",
        "retrieved": "2026-11-20",
        "effective": "2026-11-20",
        "pool": {"kind": "account"},
        "measure": {"kind": "scenarios", "numeraire": numeraire, "unit": "underlying"},
        "levels": {
            "initial": {"factor": initial, "option_value": option_value},
            "maintenance": {"factor": maintenance, "option_value": option_value},
        },
        "profiles": list(profiles),
    }


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
    rules = _rulebook(
        "case-risk-vector",
        [
            {
                "underlyings": [COIN],
                "scenarios": [{"set": "grid", "price_moves": fields["moves"]}],
            }
        ],
        numeraire="settle",
    )
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
    return _rulebook("case-deribit", [profile], numeraire="settle", maintenance=factor)


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
        _rulebook("case-aggregate", [profile], numeraire="settle"),
        market=_coin_market(),
    )
    listed = facade.scenarios(book, risk_unit=COIN, layout="list").records()
    return {
        "aggregated": [row["pnl"] for row in listed],
        "worst_case": facade.maintenance_margin(book),
        "worst_case_move": next(row["price_move"] for row in listed if row["counts"] == "yes"),
    }


RISK_ARRAY = Shape(required=spelled("array", "qty"))


def _listed(count: Sequence[object]) -> dict[str, object]:
    """Return a set of as many scenarios as values are given; the values decide."""
    return {"set": "scan", "layout": "list", "price_moves": [0.0 for _ in count]}


def risk_array(case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for the scan risk of one contract from its published risk array."""
    array = fields["array"]
    scan = _listed(array) | {"volatility": ["same" for _ in array]}
    rules = _rulebook("case-risk-array", [{"underlyings": [COIN], "scenarios": [scan]}])
    row = {
        "symbol": "CONTRACT",
        "type": "perpetual",
        "underlying": COIN,
        "settle": CURRENCY,
        "contracts": fields["qty"],
        "contractSize": 1.0,
        "markPrice": 1.0,
        "entryPrice": 1.0,
        "riskArray": "; ".join(str(value) for value in array),
    }
    book = facade.book([row], rules)
    found = facade.scenarios(book, risk_unit=COIN, layout="list").records()
    figures = {
        "scan_risk": facade.maintenance_margin(book),
        "worst_scenario": next(row["id"] for row in found if row["counts"] == "yes"),
    }
    return {name: figures[name] for name in case.expected_names if name in figures}


INTER_SPREAD = Shape(required=spelled("corn", "soy", "ratio", "credit"))


def inter_spread(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for a spread between two commodities with a credit."""
    first, second = fields["ratio"]
    scan = {
        "set": "scan",
        "layout": "list",
        "price_moves": [-0.1, 0.1],
        "volatility": ["same", "same"],
    }
    rules = _rulebook("case-spread", [{"underlyings": ["*"], "scenarios": [scan]}]) | {
        "credits": [
            {
                "legs": [
                    {"underlying": "CORN", "delta": first},
                    {"underlying": "SOY", "delta": second * LOSS_UNIT},
                ],
                "rate": fields["credit"],
            }
        ]
    }

    def row(symbol: str, contracts: float, margin: float) -> dict[str, object]:
        return {
            "symbol": symbol,
            "type": "perpetual",
            "underlying": symbol,
            "settle": CURRENCY,
            "contracts": contracts,
            "contractSize": 1.0,
            "markPrice": 1.0,
            "entryPrice": 1.0,
            "riskArray": f"{margin * LOSS_UNIT}; {margin}",
        }

    book = facade.book(
        [row("CORN", first, fields["corn"]), row("SOY", second * LOSS_UNIT, fields["soy"])], rules
    )
    return {"margin": facade.maintenance_margin(book)}


FORWARD_BOOK = Shape(required=spelled("I0", "abr", "days", "qty", "cont_factor", "shocks"))


def forward_book(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for a dated future: its price from carry, its contingency, its scenarios."""
    index = fields["I0"]
    years = fields["days"] * DAY_UNIT / YEAR_UNIT
    forward = facade.option_on_spot("call", index, index, 1.0, years, rate=fields["abr"]).forward
    profile = {
        "underlyings": [COIN],
        "scenarios": [{"set": "grid", "price_moves": fields["shocks"]}],
        "charges": [
            {
                "name": "future contingency",
                "on": "notional",
                "kinds": ["perpetual"],
                "price": "index",
                "stage": "inside",
                "rate": fields["cont_factor"],
            }
        ],
    }
    row = {
        "symbol": "FUTURE",
        "type": "perpetual",
        "underlying": COIN,
        "settle": CURRENCY,
        "contracts": fields["qty"],
        "contractSize": 1.0,
        "markPrice": forward,
        "entryPrice": forward,
    }
    book = facade.book(
        [row],
        _rulebook("case-forward", [profile]),
        market=[{"underlying": COIN, "indexPrice": index}],
    )
    components = facade.explanation(book, measure="MM").records()
    listed = facade.scenarios(book, risk_unit=COIN, layout="list").records()
    return {
        "F0": forward,
        "contingency": next(
            row["amount"] for row in components if row["component"].startswith("future")
        ),
        "pnl": [row["pnl"] for row in listed],
    }


def _one(settle: str, contracts: float) -> dict[str, object]:
    """Return a position of one dollar a contract."""
    return {
        "symbol": f"CONTRACT{settle}",
        "type": "perpetual",
        "underlying": COIN,
        "settle": settle,
        "contracts": contracts,
        "contractSize": 1.0,
        "markPrice": 1.0,
        "entryPrice": 1.0,
    }


def _charged(
    facade: Facade,
    charges: Sequence[Mapping[str, object]],
    rows: Sequence[Mapping[str, object]],
    maintenance: float = 1.0,
) -> object:
    """Return a book that needs these charges and nothing else."""
    profile = {"underlyings": [COIN], "charges": list(charges)}
    market = [
        {"underlying": COIN, "indexPrice": 1.0},
        {"underlying": "USDT", "indexPrice": 1.0},
    ]
    return facade.book(
        rows, _rulebook("case-charges", [profile], maintenance=maintenance), market=market
    )


LEVEL_FACTOR = Shape(required=spelled("total_initial_margin_usd", "mm_factor"))


def level_factor(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for a maintenance level that is a factor of the same measure as the initial one."""
    charge = {
        "name": "account",
        "on": "fixed",
        "stage": "inside",
        "rate": fields["total_initial_margin_usd"] or 0.0,
    }
    book = _charged(facade, [charge], [_one(CURRENCY, 1.0)], maintenance=fields["mm_factor"])
    return {"total_maintenance_margin_usd": facade.maintenance_margin(book)}


FLOORED = Shape(
    required=spelled("MR4", "MR7", rest="MR1_2_3_5_6"),
    optional=spelled("spot_btc", "BTCUSDT_perp_contracts", "open_order"),
)


def floored(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for amounts that are added, with another one below which nothing goes."""
    inside = {"on": "fixed", "stage": "inside"}
    charges = [
        {"name": "MR1 2 3 5 6", "rate": fields["rest"], **inside},
        {"name": "MR4", "rate": fields["MR4"], **inside},
        {"name": "MR7", "on": "fixed", "stage": "floor", "rate": fields["MR7"]},
    ]
    book = _charged(facade, charges, [_one(CURRENCY, 1.0)])
    return {"MMR_after": facade.maintenance_margin(book)}


STABLE_HEDGE = Shape(required=spelled("hedged_volume_usd", "tiers"))


def stable_hedge(_case: CaseView, fields: Fields, facade: Facade) -> Answer:
    """Answer for a hedge between two stable currencies, slice by slice."""
    volume, tiers = fields["hedged_volume_usd"], fields["tiers"]
    charge = {
        "name": "MR9",
        "on": "stable_hedge",
        "stage": "outside",
        "from": [float(tier["from"]) for tier in tiers],
        "rates": [tier["factor"] for tier in tiers],
    }
    rows = [_one("USDT", volume), _one(CURRENCY, volume * LOSS_UNIT)]
    return {"mr9_usd": facade.maintenance_margin(_charged(facade, [charge], rows))}


ADAPTERS: Final = (
    Adapter(LEVEL_FACTOR, level_factor),
    Adapter(FLOORED, floored),
    Adapter(STABLE_HEDGE, stable_hedge),
    Adapter(RISK_VECTOR, risk_vector),
    Adapter(DERIBIT_MARGIN, deribit_margin),
    Adapter(DERIBIT_ACCOUNT, deribit_account),
    Adapter(AGGREGATE, aggregate),
    Adapter(RISK_ARRAY, risk_array),
    Adapter(INTER_SPREAD, inter_spread),
    Adapter(FORWARD_BOOK, forward_book),
)
