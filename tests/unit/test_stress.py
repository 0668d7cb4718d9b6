"""Grids, stresses and horizons, against books that are pasted with the moved inputs and by hand."""

from __future__ import annotations

import csv
import math
import re
import tomllib
from itertools import pairwise
from pathlib import Path
from statistics import NormalDist
from typing import Any

import pytest

import crossmargin
from crossmargin.errors import CrossmarginError
from tests.oracle.sheets import Rows, records, table

ROOT = Path(__file__).resolve().parents[2]
CRISES = ROOT / "rust_core" / "engine" / "stress" / "crises.toml"
H = "symbol contracts entryPrice markPrice maintenanceMarginRate leverage"
SPOT, FORWARD = 3000.0, 3020.0
OPTION_HEADER = (
    "symbol type underlying settle contracts contractSize strike optionType secondsToExpiry "
    "forward markIv markPrice indexPrice entryPrice leverage"
)
OPTIONS = (
    ("NEAR-P", -10.0, 2900.0, "put", 10.0, 0.7),
    ("NEAR-C", -6.0, 3300.0, "call", 10.0, 0.65),
    ("FAR-C", 8.0, 3100.0, "call", 70.0, 0.6),
)
CASH = 90_000.0


def _perpetuals(btc: float = 60_000.0, eth: float = 3_000.0, **more: Any) -> crossmargin.Book:
    rows = table(H, ["BTC", 2, 60000, btc, 0.01, 10], ["ETH", -20, 3000, eth, 0.02, 5])
    balances = [["currency", "cash"], ["USD", 40000]]
    return crossmargin.book(rows, "custom", collateral=balances, **more)


def _options(
    *, price: float = 1.0, vol: float = 0.0, days: float = 0.0, points: float = 0.0
) -> crossmargin.Book:
    """Paste the options at moved inputs; what has expired is its intrinsic value in cash."""
    rows: Rows = [OPTION_HEADER.split()]
    cash = CASH
    for symbol, quantity, strike, right, left, own in OPTIONS:
        if left <= days:
            sign = 1.0 if right == "call" else -1.0
            cash += quantity * max(sign * (FORWARD * price - strike), 0.0)
            continue
        seconds = (left - days) * 86400.0
        moved = own * (1.0 + vol) + points
        forward = FORWARD * price
        rows.append([symbol, "option", "ETH", "USDC", quantity, 1, strike, right, seconds, forward,
                     moved, None, SPOT * price, None, None])  # fmt: skip
    mark = SPOT * price
    rows.append(["ETH-PERP", "perpetual", "ETH", "USDC", 3, 1, None, None, None, None, None, mark,
                 mark, 2950, 10])  # fmt: skip
    market = table("underlying indexPrice", ["ETH", SPOT * price], ["USDC", 1])
    balances = table("currency cash", ["USDC", cash])
    return crossmargin.book(rows, "derive-pm2", collateral=balances, market=market)


def _black(right: str, forward: float, strike: float, total: float) -> float:
    d1 = math.log(forward / strike) / total + total / 2
    normal = NormalDist().cdf
    call = forward * normal(d1) - strike * normal(d1 - total)
    return call if right == "call" else call - forward + strike


def test_a_ladder_is_the_book_pasted_at_each_price() -> None:
    book = _perpetuals()
    found = records(crossmargin.margin_grid(book, "ETH", measure="usage"))
    assert len(found) == 21
    for row in found:
        pasted = _perpetuals(eth=3000.0 * (1 + row["price_move"]))
        assert row["price"] == pytest.approx(3000.0 * (1 + row["price_move"]), rel=1e-12)
        assert row["usage"] == pytest.approx(crossmargin.ratio(pasted), rel=1e-12)


def test_a_grid_of_three_axes_is_the_book_pasted_at_each_node() -> None:
    moves, vols, days = [-0.3, 0.0, 0.2], [-0.2, 0.5], [0.0, 3.0, 20.0]
    book = _options()
    for measure, ask in (
        ("mm", crossmargin.maintenance_margin),
        ("im", crossmargin.initial_margin),
        ("equity", crossmargin.equity),
        ("usage", crossmargin.ratio),
    ):
        grid = crossmargin.margin_grid(
            book, "ETH", price_moves=moves, vol_moves=vols, days=days, measure=measure
        )
        found = records(grid)
        assert len(found) == 18
        for row in found:
            pasted = _options(price=1 + row["price_move"], vol=row["vol_move"], days=row["days"])
            assert row[measure] == pytest.approx(ask(pasted), rel=1e-11), (measure, row)


def test_two_axes_are_a_matrix_and_points_are_added() -> None:
    grid = crossmargin.margin_grid(
        _options(), "ETH", price_moves=[0.0, 0.1], vol_moves=[0.0, 0.12], measure="mm",
        options={"vol": "points"},
    )  # fmt: skip
    assert list(grid.header) == ["price_move", "vol 0", "vol 0.12"]
    expected = crossmargin.maintenance_margin(_options(price=1.1, points=0.12))
    assert records(grid)[1]["vol 0.12"] == pytest.approx(expected, rel=1e-11)


def test_pnl_excess_first_and_delta_at_a_node() -> None:
    book = _perpetuals()

    def at(measure: str, move: float = 0.5, coin: str = "ETH") -> Any:
        grid = crossmargin.margin_grid(book, coin, price_moves=[move], measure=measure)
        return records(grid)[0][measure]

    assert at("pnl") == pytest.approx(-20 * 1500)
    assert at("excess") == pytest.approx(40000 - 30000 - 1200 - 20 * 4500 * 0.02)
    assert at("first") == "none"
    assert at("delta") == -20
    assert at("delta", -0.1, "ALL") == pytest.approx(2 * 54000 - 20 * 2700)
    assert "ETH short" in at("first", 0.7)
    assert at("status", 0.7) == "bankrupt"


def test_a_node_without_usage_has_no_number_and_its_status_says_why() -> None:
    row = records(crossmargin.margin_grid(_perpetuals(), "ETH", price_moves=[1.0, 0.0]))[0]
    assert (row["usage"], row["status"]) == (None, "bankrupt")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"price_moves": [-1.0]}, "price_moves must be finite and above -1, was -1"),
        ({"days": [-3.0]}, "days must be finite and zero or above, was -3"),
        ({"vol_moves": [-1.5]}, "vol_moves must be finite, a relative one at least -1, was -1.5"),
        ({"measure": "margin"}, "unknown measure 'margin'; known: usage, pnl, excess"),
        ({"options": {"paths": "1"}}, "unknown option 'paths'; known: path, vol, betas, scope"),
        ({"price_moves": [0.0] * 200, "vol_moves": [0.0] * 200}, "must be at most 20,000, was 4"),
    ],
)
def test_what_no_grid_can_be_made_of_is_refused(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(CrossmarginError) as refusal:
        crossmargin.margin_grid(_perpetuals(), "ETH", **arguments)
    assert sentence in str(refusal.value)


def test_the_header_of_a_stress_is_a_contract() -> None:
    found = crossmargin.stresses(_perpetuals(), [["coin", "move"], ["BTC", -0.1]])
    words = (
        "scenario pnl collateral_change equity im mm usage status call_amount first_liquidated "
        "shortfall note"
    )
    assert list(found.header) == words.split()


def test_a_scenario_of_ones_own_is_what_it_is_by_hand() -> None:
    typed = [["scenario", "coin", "move"], ["crash", "BTC", -0.5], ["", "ETH", "-10%"],
             ["up", "other", 0.5]]  # fmt: skip
    crash, up = records(crossmargin.stresses(_perpetuals(), typed))
    assert crash["pnl"] == pytest.approx(-60000 + 20 * 300)
    assert crash["equity"] == pytest.approx(40000 - 54000)
    assert crash["status"] == "bankrupt"
    assert crash["shortfall"] == pytest.approx(14000)
    assert up["pnl"] == pytest.approx(60000 - 30000)
    assert up["first_liquidated"] == "none"
    assert up["mm"] == pytest.approx(0.01 * 180000 + 0.02 * 90000)
    assert "other coins +50 %: BTC, ETH" in up["note"]


def test_pnl_and_collateral_sum_to_the_change_of_the_equity() -> None:
    rows = table(H, ["BTC", 2, 60000, 60000, 0.01, 10])
    balances = table(
        "currency cash priceVenue collateralRate",
        ["USD", 10000, 1, None], ["USDE", 50000, 1, 0.9], ["WBETH", 10, 3200, 0.9],
    )  # fmt: skip
    market = table("underlying beta", ["BTC", 1], ["ETH", 1.3])
    book = crossmargin.book(rows, "custom", collateral=balances, market=market)
    typed = table("coin move peg", ["BTC", -0.2, None], ["ETH", -0.3, None],
                  ["USDE", None, 0.65], ["WBETH", None, 0.5])  # fmt: skip
    (row,) = records(crossmargin.stresses(book, typed))
    change = -50000 * 0.35 + 10 * 3200 * (0.7 * 0.5 - 1)
    assert row["collateral_change"] == pytest.approx(change)
    assert row["pnl"] == pytest.approx(-24000)
    adjusted = 10000 - 24000 + 0.9 * 50000 * 0.65 + 0.9 * 10 * 3200 * 0.35
    assert row["equity"] == pytest.approx(adjusted)
    initial = 2 * 48000 / 10
    assert row["call_amount"] == pytest.approx(max(initial - adjusted, 0.0))


def test_a_peg_that_broke_at_one_venue_is_whole_at_the_others() -> None:
    rows = table("account " + H, ["a", "BTC", 1, 60000, 60000, 0.01, 10],
                 ["b", "BTC", 1, 60000, 60000, 0.01, 10])  # fmt: skip
    balances = table("account currency cash priceVenue collateralRate", ["a", "USDE", 50000, 1, 1],
                     ["b", "USDE", 50000, 1, 1])  # fmt: skip
    book = crossmargin.book(
        rows, [["a", "binance-usdm"], ["b", "bybit-cross"]], collateral=balances,
        market=table("underlying indexPrice", ["USDT", 1], ["USDC", 1]),
    )  # fmt: skip
    found = records(crossmargin.stresses(book, "OCT2025", options={"group_by": "account"}))
    changes = {row["scenario"]: row["collateral_change"] for row in found}
    assert changes["OCT2025 [a]"] == pytest.approx(-0.35 * 50000)
    assert changes["OCT2025 [b]"] == pytest.approx(-0.003 * 50000)


def test_a_coin_without_a_move_follows_by_beta_or_is_refused_by_name() -> None:
    rows = table(H, ["AVAX", 100, 20, 20, 0.05, 5])
    balances = table("currency cash", ["USD", 3000])

    def stressed(*market: list[Any]) -> dict[str, Any]:
        given: dict[str, Any] = {"market": table("underlying beta", *market)} if market else {}
        book = crossmargin.book(rows, "custom", collateral=balances, **given)
        return records(crossmargin.stresses(book, "AUG2024"))[0]

    refused = stressed()
    assert refused["status"] == "refused"
    assert "move of AVAX is missing" in refused["note"]
    followed = stressed(["AVAX", 1.5])
    assert followed["pnl"] == pytest.approx(100 * 20 * ((1 - 0.1575) ** 1.5 - 1))
    assert "by beta to BTC: AVAX 1.5" in followed["note"]


def test_cases_of_a_crisis_and_the_whole_library_have_rows_of_their_own() -> None:
    book = _perpetuals()
    cases = records(crossmargin.stresses(book, "MAR2020", options={"case": "all"}))
    assert [row["scenario"] for row in cases] == ["MAR2020 mild", "MAR2020", "MAR2020 severe"]
    assert [row["pnl"] for row in cases] == pytest.approx(
        [120000 * btc - 60000 * eth for btc, eth in
         ((-0.3950, -0.4460), (-0.5233, -0.5581), (-0.5376, -0.5878))]
    )  # fmt: skip
    whole = records(crossmargin.stresses(book))
    assert len(whole) == len(tomllib.loads(CRISES.read_text(encoding="utf-8"))["crises"])


def test_unknown_scenarios_coins_and_columns_are_refused_with_those_there_are() -> None:
    book = _perpetuals()
    with pytest.raises(CrossmarginError, match="unknown scenario 'OCT2026'; known: MAR2020"):
        crossmargin.stresses(book, "OCT2026")
    with pytest.raises(CrossmarginError, match="scenarios: unknown column 'shift'"):
        crossmargin.stresses(book, [["coin", "shift"], ["BTC", 1]])
    (row,) = records(crossmargin.stresses(book, [["coin", "move"], ["SOL", -0.1]]))
    assert "unknown coin of the scenario 'SOL'; known: BTC, ETH, USD" in row["note"]


def test_the_sources_of_the_library_are_a_table() -> None:
    found = records(crossmargin.stresses(_perpetuals(), options={"layout": "sources"}))
    row = next(r for r in found if r["scenario"] == "OCT2025" and "USDE at Binance" in r["what"])
    assert (row["mild"], row["central"], row["retrieved"]) == (0.65, 0.65, "2026-11-28")
    assert all(r["source"] and r["retrieved"] for r in found)


def _candles(shared: Path, name: str) -> dict[str, dict[str, tuple[float, float, float]]]:
    path = shared / "data" / name
    if not path.is_file():
        pytest.skip(f"the prices {path} are missing; copy them from the shared data folder")
    found: dict[str, dict[str, tuple[float, float, float]]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            day = float(row["high"]), float(row["low"]), float(row["close"])
            found.setdefault(row["symbol"], {})[row["date"]] = day
    return found


def _range(days: dict[str, tuple[float, float, float]], window: str) -> list[float]:
    """Return mild, central and severe by the rule at the head of the library."""
    dates = sorted(days)
    first, last = dates.index(window[:10]), dates.index(window[-10:])
    before = days[dates[first - 1]][2]
    low = min(days[day][1] for day in dates[first : last + 1])
    high = max(days[day][0] for day in dates[first - 3 : first])
    closes = [days[day][2] for day in dates[first - 1 : last + 1]]
    mild = min(b / a - 1 for a, b in pairwise(closes))
    return [mild, low / before - 1, low / high - 1]


def test_the_moves_of_the_library_are_those_of_the_candles(shared: Path) -> None:
    candles = _candles(shared, "prices_daily_binance_usdt.csv")
    for crisis in tomllib.loads(CRISES.read_text(encoding="utf-8"))["crises"]:
        for move in crisis["moves"]:
            expected = _range(candles[move["coin"]], crisis["window"])
            assert move["price"] == pytest.approx(expected, abs=6e-5), (crisis["id"], move)


def test_the_pegs_and_volatilities_of_the_library_are_those_of_the_data(shared: Path) -> None:
    stable = _candles(shared, "prices_daily_yahoo_usd_pre2020_and_stablecoins.csv")
    path = shared / "data" / "dvol_btc_daily.csv"
    with path.open(encoding="utf-8", newline="") as file:
        dvol = {row["date"]: float(row["dvol_close"]) for row in csv.DictReader(file)}
    dates = sorted(dvol)
    seen = 0
    for crisis in tomllib.loads(CRISES.read_text(encoding="utf-8"))["crises"]:
        for peg in crisis.get("pegs", []):
            if peg["source"] == "yahoo":
                expected = [1 + own for own in _range(stable[peg["currency"]], crisis["window"])]
                assert peg["ratio"] == pytest.approx(expected, abs=6e-5)
                seen += 1
        if crisis.get("volatility", {}).get("source") == "dvol":
            first, last = (dates.index(crisis["window"][place]) for place in
                           (slice(10), slice(-10, None)))  # fmt: skip
            closes = [dvol[day] for day in dates[first - 1 : last + 1]]
            rises = [b / a - 1 for a, b in pairwise(closes)]
            lowest = min(dvol[day] for day in dates[max(first - 3, 0) : first])
            expected = [max(rises), max(closes[1:]) / closes[0] - 1, max(closes) / lowest - 1]
            assert crisis["volatility"]["relative"] == pytest.approx(expected, abs=6e-5)
            seen += 1
    assert seen == 5


def test_a_cascade_moves_the_price_by_what_the_account_sells() -> None:
    rows = table(H, ["BTC", 100, 60000, 60000, 0.05, 10])
    market = table("underlying dailyVol adv halfSpread", ["BTC", 0.03, 20000, 0.0001])
    balances = table("currency cash", ["USD", 800000])
    book = crossmargin.book(rows, "custom", collateral=balances, market=market)
    typed = [["coin", "move"], ["BTC", -0.1]]
    calm = records(crossmargin.stresses(book, typed))[0]
    assert (calm["status"], calm["shortfall"]) == ("liquidatable", 0)
    struck = records(crossmargin.stresses(book, typed, options={"cascade": "1"}))[0]

    # second method: sell what brings the equity to 5 % of what is left, pay for it, let the price
    # fall by everything sold so far, and look again; largest_loss sells no more than is needed
    def impact(coins: float) -> float:
        return 0.03 * math.sqrt(coins / 20000)

    cash, left, price, sold, rounds = 800000.0, 100.0, 54000.0, 0.0, 0
    while True:
        equity = cash + left * (price - 60000)
        keep = min(left, max(equity / (0.05 * price), 0.0))
        if left - keep < 1e-9 * left:
            break
        rounds += 1
        own = left - keep
        paid = 2 / 3 * (impact(sold + own) * (sold + own) - impact(sold) * sold)
        cash += own * (price - 60000) - price * (paid + 0.0001 * own)
        left, sold = keep, sold + own
        price = 54000 * (1 - impact(sold))
    found = re.search(r"cascade of (\d+) rounds: ([\d.]+) BTC sold", struck["note"])
    assert found is not None
    assert float(found[2]) == pytest.approx(sold, rel=1e-6)
    assert int(found[1]) >= rounds
    assert f"equity left {cash + left * (price - 60000):.0f}"[:16] in struck["note"]
    assert f"BTC 100 to {left:.4f}"[:18] in struck["note"]


def test_a_cascade_without_depth_names_what_is_missing() -> None:
    book = _perpetuals()
    typed = [["coin", "move"], ["BTC", -0.4]]
    (row,) = records(crossmargin.stresses(book, typed, options={"cascade": "1"}))
    assert row["status"] == "refused"
    assert "daily volume of" in row["note"]
    assert "give adv on the Market sheet" in row["note"]


def test_the_leg_that_is_left_after_a_liquidation_is_named() -> None:
    rows = table("account " + H, ["a", "BTC", 10, 60000, 60000, 0.01, 10],
                 ["b", "BTC", -10, 60000, 60000, 0.01, 10])  # fmt: skip
    balances = table("account currency cash", ["a", "USD", 70000], ["b", "USD", 70000])
    book = crossmargin.book(rows, "custom", collateral=balances)
    (row,) = records(crossmargin.stresses(book, [["coin", "move"], ["BTC", -0.15]]))
    assert row["pnl"] == pytest.approx(0)
    assert row["first_liquidated"] == "a: BTC long"
    assert "delta after the liquidation: BTC 0 to -10" in row["note"]


def test_time_alone_settles_what_expires_and_pays_funding() -> None:
    rows: Rows = [[*OPTION_HEADER.split(), "fundingRate"]]
    rows += [
        ["C", "option", "ETH", "USDC", 5, 1, 2900, "call", 10 * 86400, FORWARD, 0.6, None, SPOT,
         None, None, None],
        ["ETH-PERP", "perpetual", "ETH", "USDC", 3, 1, None, None, None, None, None, SPOT, SPOT,
         SPOT, 10, 0.0001],
    ]  # fmt: skip
    book = crossmargin.book(
        rows, "derive-pm2", collateral=table("currency cash", ["USDC", CASH]),
        market=table("underlying indexPrice", ["ETH", SPOT], ["USDC", 1]),
    )  # fmt: skip
    found = crossmargin.horizon(book, ["4", "20"])
    assert list(found.header) == ("date event symbol im mm equity usage theta funding note".split())
    now, four, expiry, late = records(found)
    assert [row["event"] for row in (now, four, expiry, late)] == ["now", "date", "expiry", "date"]

    def value(left: float) -> float:
        return _black("call", FORWARD, 2900, 0.6 * math.sqrt(left / 365))

    assert four["theta"] == pytest.approx(5 * (value(6) - value(10)), rel=1e-9)
    assert expiry["symbol"] == "C"
    assert late["theta"] == pytest.approx(5 * (FORWARD - 2900 - value(10)), rel=1e-9)
    assert late["funding"] == pytest.approx(-3 * SPOT * 0.0001 * 3 * 20)
    without = records(crossmargin.horizon(book, ["20"], funding=0))[-1]
    assert late["equity"] == pytest.approx(without["equity"] + late["funding"])
    assert late["mm"] < now["mm"]
    assert late["note"].startswith("MM -")


def test_dates_are_counted_from_the_as_of() -> None:
    rows = table(H, ["BTC", 2, 60000, 60000, 0.01, 10])
    balances = table("currency cash", ["USD", 40000])
    book = crossmargin.book(rows, "custom", collateral=balances, as_of="2026-01-13T12:00:00Z")
    found = records(crossmargin.horizon(book, ["2026-01-20"]))
    assert [row["date"] for row in found] == ["2026-01-13T12:00:00Z", "2026-01-20T00:00:00Z"]
    assert "no funding rate of BTC" in found[1]["note"]
    with pytest.raises(CrossmarginError, match="it lies before the as-of"):
        crossmargin.horizon(book, ["2026-01-01"])
    undated = crossmargin.book(rows, "custom", collateral=balances)
    with pytest.raises(CrossmarginError, match="give as_of, or days"):
        crossmargin.horizon(undated, ["2026-01-20"])
