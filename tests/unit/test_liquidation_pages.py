"""The pages about liquidation: their figures are those of the code, and other methods agree."""

from __future__ import annotations

import functools
import math
from datetime import datetime
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

import crossmargin
from docs import crash_chain_answers, crash_chain_book, hyperliquid_book
from docs import make_liquidation_hyperliquid as hyperliquid_page
from docs import make_liquidation_options as options_page
from docs.liquidation_pages import marks
from tests.oracle import hyperliquid as oracle
from tests.second_opinion import black76
from tests.second_opinion.deribit_spm import deribit_spm

if TYPE_CHECKING:
    from pathlib import Path

    from tests.second_opinion import shapes

Step = dict[str, Any]


@pytest.fixture(scope="module")
def real(shared: Path) -> hyperliquid_book.Account:
    return hyperliquid_book.Account(shared / "data")


@pytest.fixture(scope="module")
def drawn(shared: Path) -> crash_chain_answers.Account:
    return crash_chain_answers.Account(shared / "data")


def _assert_stands(page: Any, blocks: dict[str, str]) -> None:
    text = page.PAGE.read_text(encoding="utf-8")
    for name, block in blocks.items():
        opening, closing = marks(name)
        assert opening + block + closing in text, name
    for picture in (page.LADDER, page.MAP, page.POLICIES):
        assert picture.stat().st_size > 20_000
        assert f"]({picture.name})" in text


def test_the_figures_of_the_real_book_are_what_the_code_gives(
    real: hyperliquid_book.Account,
) -> None:
    _assert_stands(hyperliquid_page, hyperliquid_page.blocks(real))


def test_the_figures_of_the_option_book_are_what_the_code_gives(
    drawn: crash_chain_answers.Account,
) -> None:
    _assert_stands(options_page, options_page.blocks(drawn))


# The real book, in exact fractions ---------------------------------------------------------------


def _cost(real: hyperliquid_book.Account, coin: str, quantity: float, price: float) -> float:
    """Return fee, half spread and two thirds of the square-root law, USDC."""
    found = real.contexts.get(coin)
    volume, half = hyperliquid_book.UNKNOWN_VOLUME, hyperliquid_book.UNKNOWN_SPREAD
    if found and found["impact_bid_px"] and found["impact_ask_px"]:
        bid, ask = float(found["impact_bid_px"]), float(found["impact_ask_px"])
        volume, half = float(found["volume_24h_usd"]), (ask - bid) / (ask + bid)
    notional = quantity * price
    impact = 2 / 3 * hyperliquid_book.DAILY_VOLATILITY * math.sqrt(notional / volume)
    return notional * (hyperliquid_book.FEE + half + impact)


def test_each_cure_of_the_real_book_holds_in_exact_fractions(
    real: hyperliquid_book.Account, shared: Path
) -> None:
    account, ratio = oracle.account(shared), 1 + Fraction(str(hyperliquid_book.RALLY))
    moved = {leg.coin: ratio for leg in account.legs}
    kinds = set()
    for steps in real.cures.values():
        if str(steps[0]["symbol"]).startswith("all "):
            continue
        held = {leg.coin: abs(leg.quantity) for leg in account.legs}
        equity = account.equity(moved)
        for step in steps:
            quantity = Fraction(str(step["qty"]))
            if step["action"] == "deposit":
                equity += quantity
                continue
            leg = next(leg for leg in account.legs if leg.coin == step["symbol"])
            assert step["side"] == ("buy" if leg.quantity < 0 else "sell")
            held[leg.coin] -= quantity
            expected = _cost(real, leg.coin, float(quantity), float(leg.mark * ratio))
            assert step["cost"] == pytest.approx(expected, rel=1e-9, abs=1e-9)
            equity -= Fraction(step["cost"])
        assert min(held.values()) > -1e-9
        margin = sum(
            leg.brackets.maintenance(abs(held[leg.coin]) * leg.mark * ratio) for leg in account.legs
        )
        assert steps[-1]["usage_after"] == pytest.approx(float(margin / equity), rel=1e-9)
        assert margin / equity <= Fraction(1, 2) + Fraction(1, 10**9)
        kinds.add((steps[0]["action"], len(steps) > 1))
    assert kinds >= {("deposit", False), ("close", False)}


def test_the_first_round_closes_a_fifth_of_what_is_large_and_the_rest_whole(
    real: hyperliquid_book.Account,
) -> None:
    first, ether = real.rungs[0], hyperliquid_book.ether_at(real.rungs[0])
    closed = {str(row["symbol"]): float(row["qty"]) for row in first}
    for row in real.rows:
        price = ether if row["coin"] == "ETH" else float(row["mark_price"])
        size = abs(float(row["size"]))
        share = 0.2 if size * price > 100_000 else 1.0
        assert closed.pop(row["coin"]) == pytest.approx(share * size, rel=1e-9)
    assert not closed


# The option book, by the second implementation ---------------------------------------------------


def _black(
    right: shapes.Right, strike: float, volatility: float, years: float, forward: float
) -> float:
    return black76.value(right, forward, strike, volatility, years)


def _paid(right: shapes.Right, strike: float, forward: float) -> float:
    return max(forward - strike if right == "call" else strike - forward, 0.0)


def _other_account(drawn: crash_chain_answers.Account, price: float) -> tuple[float, float]:
    """Return equity and maintenance margin at a price of BTC, both in BTC."""
    own, ratio = drawn.drawn, price / drawn.drawn.index
    now = datetime.fromisoformat(crash_chain_book.AS_OF)
    equity = crash_chain_book.CASH + drawn.hedge * (1 / own.index - 1 / price)
    positions: list[shapes.Position] = []
    for row in own.options:
        today = float(row["forward_usd"])
        days = (datetime.fromisoformat(row["expiry_utc"]) - now).total_seconds() / 86_400
        right: shapes.Right = "call" if row["option_type"] == "call" else "put"
        strike, volatility = float(row["strike"]), float(row["mark_iv"])
        coins, paid = (
            [of(forward) / forward for forward in (today, today * ratio)]
            for of in (
                functools.partial(_black, right, strike, volatility, days / 365),
                functools.partial(_paid, right, strike),
            )
        )
        quantity, mark = own.sizes[row["instrument"]], float(row["mark_coin"])
        worth = mark + coins[1] - coins[0]
        if mark < coins[0]:  # no less than what is paid, or as much less than that as today
            worth = max(worth, paid[1] - max(paid[0] - mark, 0.0), 0.0)
        equity += quantity * worth
        positions.append(
            {
                "underlying": "BTC",
                "kind": "option",
                "settle": "BTC",
                "expiry_days": days,
                "forward": today * ratio,
                "quantity": quantity,
                "strike": strike,
                "right": right,
                "implied_volatility": volatility,
            }
        )
    positions.append(
        {
            "underlying": "BTC",
            "kind": "perpetual",
            "settle": "BTC",
            "expiry_days": None,
            "forward": price,
            "quantity": drawn.hedge / price,
        }
    )
    book: shapes.Book = {"as_of_days": 0.0, "index": {"BTC": price}, "positions": positions}
    return equity, deribit_spm(book)["pools"]["BTC"]["maintenance_margin"]


def test_a_second_implementation_finds_the_same_equity_and_margin(
    drawn: crash_chain_answers.Account,
) -> None:
    index = drawn.drawn.index
    equity, margin = _other_account(drawn, index)
    assert drawn.summary["equity_gross"] == pytest.approx(equity * index, rel=1e-9)
    assert drawn.summary["mm"] == pytest.approx(margin * index, rel=1e-9)


def test_a_second_implementation_has_no_excess_at_the_ends_of_the_zones(
    drawn: crash_chain_answers.Account,
) -> None:
    ends = [float(row["to"]) for row in drawn.zones[:-1]]
    assert len(ends) == 3
    for end in ends:
        equity, margin = _other_account(drawn, end)
        assert equity == pytest.approx(margin, rel=1e-9)


def test_each_cure_of_the_option_book_holds_when_booked_anew(
    drawn: crash_chain_answers.Account,
) -> None:
    assert len(drawn.cures) == 3
    for cure in drawn.cures:
        assert cure.usage == pytest.approx(float(cure.trades[-1]["usage_after"]), rel=1e-9)
        assert cure.usage <= crash_chain_answers.TARGET + 1e-9


def test_selling_the_put_that_the_page_warns_of_raises_the_margin_by_as_much(
    drawn: crash_chain_answers.Account,
) -> None:
    shield = drawn.hedges[0]
    others = {str(shield["symbol"]): 0.0, crash_chain_book.PERPETUAL: drawn.hedge}
    without = crash_chain_book.book(drawn.drawn, others, crash_chain_book.CASH)
    margin = crossmargin.maintenance_margin(without)
    assert margin is not None
    raised = margin - float(drawn.summary["mm"])
    assert raised == pytest.approx(-float(shield["incremental"]), rel=1e-9)
    assert raised > 0


def test_the_drawn_book_is_three_hundred_positions_without_delta(
    drawn: crash_chain_answers.Account,
) -> None:
    assert len(drawn.drawn.options) == 299
    (row, _) = crossmargin.exposure(drawn.book).records()
    contract = crash_chain_book.PERPETUAL_LOT / drawn.drawn.index
    assert abs(float(str(row["delta"]))) <= contract
