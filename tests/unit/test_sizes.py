"""The largest size before a limit: brute force, hedges, new contracts, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import crossmargin
from crossmargin.errors import CrossmarginError
from tests.oracle.sheets import Rows, number, records, table

H = "symbol contracts entryPrice markPrice maintenanceMarginRate leverage"
POSITIONS = table(H, ["BTC", 2, 55000, 60000, 0.01, 10], ["ETH", -20, 3100, 3000, 0.02, 5])
MARKET: Rows = [
    ["underlying", "symbol", "markPrice", "dailyVol", "corr BTC", "corr ETH", "corr SOL", "lot"],
    ["BTC", None, 60000, 0.03, 1, 0.6, 0.5, None],
    ["ETH", None, 3000, 0.04, 0.6, 1, 0.5, None],
    ["SOL", None, 150, 0.06, 0.5, 0.5, 1, None],
    [None, "BTC", 60000, None, None, None, None, 0.001],
    [None, "ETH", 3000, None, None, None, None, 0.01],
]


def _book(
    positions: Rows | None = None, cash: float = 40000.0, rulebook: Any = "custom"
) -> crossmargin.Book:
    collateral = table("currency cash", ["USD", cash])
    return crossmargin.book(positions or POSITIONS, rulebook, collateral=collateral, market=MARKET)


def _row(book: crossmargin.Book, symbol: str, **more: Any) -> dict[str, Any]:
    return records(crossmargin.largest_size(book, symbol, layout="table", **more))[0]


def _excess_after(symbol: str, change: float, above: str) -> float:
    return number(crossmargin.excess(_traded(symbol, change), above=above))


def _traded(symbol: str, change: float) -> crossmargin.Book:
    """Book a trade by hand: closed at the mark with its result as cash, and opened again there."""
    rows, cash = [list(POSITIONS[0])], 40000.0
    for name, held, entry, mark, *rest in POSITIONS[1:]:
        if name != symbol:
            rows.append([name, held, entry, mark, *rest])
            continue
        cash += held * (mark - entry)
        if held + change:
            rows.append([name, held + change, mark, mark, *rest])
    return _book(rows, cash)


@pytest.mark.parametrize("side", ["buy", "sell"])
@pytest.mark.parametrize("symbol", ["BTC", "ETH"])
@pytest.mark.parametrize(
    ("limit", "above"), [("IM", "IM"), ("MM", "MM"), ("usage=0.3", "usage=0.3")]
)
def test_at_the_size_the_rebooked_account_is_inside_and_a_lot_more_outside(
    side: str, symbol: str, limit: str, above: str
) -> None:
    size = crossmargin.largest_size(_book(), symbol, side=side, limit=limit)
    lot = {"BTC": 0.001, "ETH": 0.01}[symbol]
    assert isinstance(size, float)
    assert (size > 0) == (side == "buy")
    assert size / lot == pytest.approx(round(size / lot), abs=1e-6)
    step = lot if side == "buy" else -lot
    assert _excess_after(symbol, size, above) >= 0
    assert _excess_after(symbol, size + step, above) < 0


def test_a_leverage_bound_is_what_it_is_by_hand() -> None:
    # equity 40000 + 10000 + 2000; gross may be 4 x 52000 = 208000, ETH is 60000 of it
    size = crossmargin.largest_size(_book(), "BTC", limit="leverage=4")
    assert size == pytest.approx(0.466, abs=1e-9)  # (208000 - 60000) / 60000 - 2 = 0.4666
    sold = crossmargin.largest_size(_book(), "BTC", side="sell", limit="leverage=4")
    assert sold == pytest.approx(-4.466, abs=1e-9)  # through flat to the other side


def test_a_hedge_that_frees_margin_first_is_followed_to_the_far_side() -> None:
    row = _row(_book(), "BTC", side="sell", limit="nearest>=0.1")
    assert _nearest("BTC", -1.0) > _nearest("BTC", 0.0)
    assert _nearest("BTC", row["size"]) >= 0.1 > _nearest("BTC", row["size"] - 0.001)


def _nearest(symbol: str, change: float) -> float:
    prices = records(crossmargin.liquidation_price(_traded(symbol, change)))
    return min(float(abs(row["nearest"] / row["mark"] - 1)) for row in prices if row["nearest"])


def test_brute_force_over_lots_finds_the_same_size_in_drawn_books() -> None:
    dice = np.random.default_rng(4)
    for _ in range(12):
        held = int(dice.choice([-1, 1]) * dice.integers(1, 31))
        positions = table(
            H,
            ["BTC", held / 10, 60000, 60000, 0.01, 10],
            ["ETH", int(dice.integers(-40, 41)) or 1, 3000, 3000, 0.02, 5],
        )
        cash = 60000.0
        book = _book(positions, cash)
        side = str(dice.choice(["buy", "sell"]))
        limit = str(dice.choice(["IM", "leverage=6", "usage=0.1"]))
        found = crossmargin.largest_size(
            book, "BTC", side=side, limit=limit, options={"lot": "0.1"}
        )
        sign = 1 if side == "buy" else -1
        inside = [0]
        for lots in range(1, 400):
            quantity = held / 10 + sign * lots / 10
            rows = [positions[0], ["BTC", quantity, 60000, 60000, 0.01, 10], positions[2]]
            if abs(quantity) < 1e-9:
                rows = [positions[0], positions[2]]
            if not _allowed(_book(rows, cash), limit):
                break
            inside.append(lots)
        assert found == pytest.approx(sign * inside[-1] / 10, abs=1e-9), (held, side, limit)


def _allowed(book: crossmargin.Book, limit: str) -> bool:
    if limit == "IM":
        return number(crossmargin.excess(book, above="IM")) >= 0
    if limit.startswith("usage"):
        return number(crossmargin.ratio(book)) <= 0.1
    rows = records(crossmargin.exposure(book))
    gross = sum(float(row["gross"]) for row in rows if row["group"] != "TOTAL")
    return gross <= 6 * 60000.0 * (1 + 1e-12)


def test_a_contract_that_is_not_held_takes_its_price_from_the_market_sheet() -> None:
    options = {"leverage": "5", "mmr": "0.03", "lot": "1"}
    row = _row(_book(), "SOL", limit="IM", options=options)
    # initial margin in use: 12000 + 12000; equity 52000; a SOL needs 150 / 5
    assert row["price"] == 150
    assert row["size"] == int((52000 - 24000) / 30)
    added = [*POSITIONS, ["SOL", row["size"], 150, 150, 0.03, 5]]
    assert number(crossmargin.excess(_book(added), above="IM")) >= 0
    added[-1][1] += 1
    assert number(crossmargin.excess(_book(added), above="IM")) < 0
    with pytest.raises(CrossmarginError, match="no mark price; a missing price is never a default"):
        crossmargin.largest_size(_book(), "DOGE", options=options)
    with pytest.raises(CrossmarginError, match="without a leverage none can be assumed"):
        crossmargin.largest_size(_book(), "SOL")


def test_brackets_bound_a_size_where_the_notional_crosses_them() -> None:
    rulebook = {
        "id": "tiers", "version": "1", "venue": "test", "report_currency": "USD", "settle": "USD",
        "source": "the test", "retrieved": "2026-11-20", "effective": "2026-11-20",
        "measure": {"kind": "tiers", "maintenance_on": "mark"},
        "tiers": {
            "list_by": "symbol",
            "tables": [
                {
                    "name": "BTC",
                    "floors": [0.0, 300000.0, 900000.0],
                    "maintenance_rates": [0.01, 0.05, 0.2],
                    "used_by": ["BTC"],
                }
            ],
        },
    }  # fmt: skip
    positions = table("symbol contracts entryPrice markPrice", ["BTC", 1, 60000, 60000])
    size = crossmargin.largest_size(_book(positions, 50000, rulebook), "BTC", limit="usage=0.9")
    # 0.05 N - 12000 up to 900000, there 33000; 0.2 N - 147000 = 45000 at N = 960000
    assert size == pytest.approx(15.0, abs=1e-9)


def test_budgets_of_value_at_risk_and_volatility_bound_a_size() -> None:
    row = _row(_book(), "BTC", limit="VaR=15%", options={"paths": "4096"})
    assert row["bound"] == pytest.approx(0.15 * 52000)
    assert row["value_at_size"] <= row["bound"] < row["value_beyond"]
    target = _row(_book(), "BTC", limit="volatility", options={"volatility_target": "1.5"})
    # by hand: variance of (x, -60000) under the correlations = (1.5 x 52000)^2 / 365
    x = 120000 + target["size"] * 60000
    deviation = ((x * 0.03) ** 2 + (60000 * 0.04) ** 2 - 2 * 0.6 * x * 0.03 * 60000 * 0.04) ** 0.5
    assert deviation * 365**0.5 / 52000 == pytest.approx(1.5, rel=1e-3)


def test_a_limits_table_bounds_by_its_tightest_row_and_names_it() -> None:
    limits = table("limit_id metric limit", ["LEV", "leverage", 4], ["USE", "usage", 0.9])
    row = _row(_book(), "BTC", limit=limits)
    assert row["size"] == pytest.approx(0.466, abs=1e-9)
    assert row["limit"] == "LEV (all)"
    assert row["reason"].startswith("a lot more: leverage of all is 4.000")


def test_an_account_beyond_its_limit_is_refused_with_what_would_help() -> None:
    with pytest.raises(CrossmarginError) as refused:
        crossmargin.largest_size(_book(), "BTC", side="sell", limit="leverage=3")
    assert refused.value.sign == "#NUM!"
    assert "inside the limit before anything is added" in str(refused.value)
    assert "would bring it inside" in str(refused.value)
    with pytest.raises(CrossmarginError) as refused:
        crossmargin.largest_size(_book(), "BTC", side="buy", limit="leverage=3")
    assert "would bring it inside" not in str(refused.value)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"side": "up"}, "unknown side 'up'; known: buy, sell"),
        ({"limit": "usage"}, "usage needs a number, such as usage=0.7"),
        ({"limit": "usage=lots"}, "usage takes a number"),
        ({"limit": "ES=-5"}, "limit must be finite and at least 0, was -5"),
        ({"limit": "speed=3"}, "unknown metric 'speed'"),
        ({"limit": "liqprob=2"}, "a probability above 0 and below 1, was 2"),
        ({"options": {"lot": "0"}}, "lot must be finite and above zero, was 0"),
        ({"options": {"account": "nobody"}}, "unknown account 'nobody'; known: main"),
        ({"layout": "picture"}, "unknown layout 'picture'"),
    ],
)
def test_what_is_no_question_is_refused_in_a_sentence(more: dict[str, Any], sentence: str) -> None:
    with pytest.raises(CrossmarginError, match=sentence.replace("(", r"\(")):
        crossmargin.largest_size(_book(), "BTC", **more)


def test_an_option_is_bought_with_cash_and_its_premium_is_not_lost() -> None:
    positions = [
        ["symbol", "contracts", "markIv", "forward", "settle"],
        ["BTC-27MAR26-60000-C", -1, 0.6, 60000, "USDC"],
    ]
    book = crossmargin.book(
        positions,
        "derive-sm",
        collateral=table("currency cash", ["USDC", 60000]),
        market=table("underlying indexPrice", ["BTC", 60000], ["USDC", 1]),
        as_of="2026-01-13T12:00:00Z",
    )
    size = crossmargin.largest_size(
        book, "BTC-27MAR26-60000-C", side="sell", limit="IM", options={"lot": "0.01"}
    )
    assert isinstance(size, float)
    assert size < 0
    value = number(crossmargin.equity(book, basis="gross"))
    for change, inside in ((size, True), (size - 0.01, False)):
        # the premium received is cash, so that the equity stays
        mark = 60000 - value
        rows = [positions[0], ["BTC-27MAR26-60000-C", -1 + change, 0.6, 60000, "USDC"]]
        other = crossmargin.book(
            rows,
            "derive-sm",
            collateral=table("currency cash", ["USDC", 60000 - change * mark]),
            market=table("underlying indexPrice", ["BTC", 60000], ["USDC", 1]),
            as_of="2026-01-13T12:00:00Z",
        )
        assert (number(crossmargin.excess(other, above="IM")) >= 0) is inside


@pytest.mark.parametrize("options", [{}, {"lot": "1e-300"}, {"lot": "1e-12"}])
def test_an_equity_beyond_numbers_ends_with_a_sentence_or_no_size(options: dict[str, str]) -> None:
    # the number of lots that would have to be tried had no end
    positions = table(
        "coin szi entryPx markPx", ["BTC", 0.5, 90000, 95000], ["ETH", -4, 3200, 3300]
    )
    collateral = table("currency accountValue", ["USDC", 1e308])
    book = crossmargin.book(positions, "hyperliquid", collateral=collateral)
    for side in ("buy", "sell"):
        try:
            found = crossmargin.largest_size(
                book, "ETH", side=side, limit="usage=0.7", options=options
            )
        except CrossmarginError as refusal:
            assert "finite" in str(refusal)  # noqa: PT017  # either is an answer
        else:
            assert found is None
