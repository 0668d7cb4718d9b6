"""Limits compared with a book: values by hand, statuses, money that brings it inside, refusals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import crossmargin
from crossmargin.errors import CrossmarginError
from tests.oracle.sheets import Rows, records, table

H = "symbol contracts entryPrice markPrice maintenanceMarginRate leverage"
POSITIONS = table(H, ["BTC", 2, 60000, 60000, 0.01, 10], ["ETH", -20, 3000, 3000, 0.02, 5])
GROSS, EQUITY, MAINTENANCE, INITIAL = 180000.0, 40000.0, 2400.0, 24000.0
MARKET: Rows = [
    ["underlying", "dailyVol", "corr BTC", "corr ETH", "depth1pct", "depth2pct", "adv", "spread"],
    ["BTC", 0.03, 1, 0.6, 5e6, 9e6, 20000, 0.0002],
    ["ETH", 0.04, 0.6, 1, 2e6, 3e6, 300000, 0.0004],
]


def _book(positions: Rows | None = None, cash: float = EQUITY, **more: Any) -> crossmargin.Book:
    collateral = table("currency cash", ["USD", cash])
    more = {"market": MARKET} | more
    return crossmargin.book(positions or POSITIONS, "custom", collateral=collateral, **more)


def _found(
    book: crossmargin.Book, *rows: list[Any], header: str = "", **options: str
) -> list[dict[str, Any]]:
    limits = table(header or "limit_id metric limit", *rows)
    found = crossmargin.limits(book, limits=limits, options=options)
    return records(found)


VALUES = {
    "leverage": GROSS / EQUITY,
    "usage": MAINTENANCE / EQUITY,
    "excess": EQUITY - MAINTENANCE,
    "excess_im": EQUITY - INITIAL,
    "im": INITIAL,
    "mm": MAINTENANCE,
    "gross": GROSS,
    "net": 60000,
    "delta": 60000,
    "concentration": 120000 / GROSS,
    "herfindahl": (120000**2 + 60000**2) / GROSS**2,
    "depth": 60000 / 2e6,
    "days": 120000 / (0.1 * 20000 * 60000),
    "volatility": math.sqrt(
        365 * ((120000 * 0.03) ** 2 + (60000 * 0.04) ** 2 - 2 * 0.6 * 120000 * 0.03 * 60000 * 0.04)
    )
    / EQUITY,
}


@pytest.mark.parametrize(("metric", "expected"), VALUES.items())
def test_each_metric_is_what_it_is_by_hand(metric: str, expected: float) -> None:
    (row,) = _found(_book(), ["L", metric, 1.0])
    assert row["value"] == pytest.approx(expected, rel=1e-9), row["rule"]


def test_the_header_is_a_contract() -> None:
    found = crossmargin.limits(_book())
    words = "limit_id scope metric value warn limit use_pct status money rule since owner action"
    assert list(found.header) == words.split()


def test_statuses_go_from_ok_to_suspended_and_the_money_brings_the_account_inside() -> None:
    rows = [["L", "leverage", limit, 3.0] for limit in (10.0, 8.0, 5.0, 4.0, 2.9)]
    found = _found(
        _book(),
        *[[*row[:3], None] for row in rows[:4]],
        ["L", "leverage", 2.9, 4.4],
        header="limit_id metric limit hard",
    )
    assert [row["status"] for row in found] == ["ok", "watch", "call", "restricted", "suspended"]
    over = found[3]
    assert over["money"] == pytest.approx(GROSS - 4 * EQUITY)
    assert "above the limit 4" in over["rule"]
    deposit = GROSS / 4 - EQUITY
    assert f"deposit {deposit:g}" in over["rule"]
    (again,) = _found(_book(cash=EQUITY + deposit), ["L", "leverage", 4.0])
    assert again["value"] == pytest.approx(4.0, rel=1e-12)


@pytest.mark.parametrize(
    ("metric", "limit"),
    [
        ("usage", 0.05),
        ("excess", 50000.0),
        ("excess_im", 20000.0),
        ("nearest", 0.5),
        ("sigmas", 12.0),
    ],
)
def test_the_deposit_named_is_enough_and_little_less_is_not(metric: str, limit: float) -> None:
    (row,) = _found(_book(), ["L", metric, limit])
    assert row["status"] in {"restricted", "suspended"}
    money = row["money"]
    (enough,) = _found(_book(cash=EQUITY + money * (1 + 1e-9) + 1e-6), ["L", metric, limit])
    (less,) = _found(_book(cash=EQUITY + 0.999 * money), ["L", metric, limit])
    assert enough["status"] == "call"
    assert less["status"] == "restricted"


def test_the_deposit_for_a_probability_is_found_by_simulating_again() -> None:
    book = _book(cash=6000)
    options = {"paths": "4000", "seed": "2"}
    (row,) = _found(book, ["L", "liquidation_probability", 0.05], **options)
    assert row["status"] == "restricted"
    (enough,) = _found(
        _book(cash=6000 + row["money"]), ["L", "liquidation_probability", 0.05], **options
    )
    (less,) = _found(
        _book(cash=6000 + 0.98 * row["money"]), ["L", "liquidation_probability", 0.05], **options
    )
    assert enough["value"] <= 0.05 < less["value"]


def test_tails_without_a_history_are_drawn_from_the_market_sheet() -> None:
    rows = _found(_book(), ["V", "var", 1e6], ["E", "es", 1e6], paths="10000")
    # second method: log-normal moves by numpy, a million draws
    generator = np.random.default_rng(1)
    root = np.linalg.cholesky(np.array([[0.0009, 0.6 * 0.0012], [0.6 * 0.0012, 0.0016]]))
    moves = np.exp(generator.standard_normal((1_000_000, 2)) @ root.T) - 1
    losses = np.sort(-(120000 * moves[:, 0] - 60000 * moves[:, 1]))
    value, shortfall = losses[990_000], losses[990_000:].mean()
    assert rows[0]["value"] == pytest.approx(value, rel=0.05)
    assert rows[1]["value"] == pytest.approx(shortfall, rel=0.05)
    assert "simulated scenarios at 0.99 over 1 d, parameters of 'es'" in rows[0]["rule"]


def test_a_share_of_the_equity_is_a_limit_of_money() -> None:
    (row,) = _found(_book(), ["L", "gross", 3.0, "equity"], header="limit_id metric limit unit")
    assert row["limit"] == pytest.approx(3 * EQUITY)
    assert row["money"] == pytest.approx(GROSS - 3 * EQUITY)


def test_scopes_are_coins_accounts_and_each_of_them() -> None:
    rows = _found(
        _book(),
        ["A", "BTC", "gross", 1e6],
        ["B", "each underlying", "gross", 1e6],
        ["C", "main", "leverage", 9],
        ["D", "nowhere", "leverage", 9],
        ["E", "BTC", "usage", 0.5],
        header="limit_id scope metric limit",
    )
    assert [(row["scope"], row["value"]) for row in rows[:4]] == [
        ("BTC", 120000),
        ("BTC", 120000),
        ("ETH", 60000),
        ("main", 4.5),
    ]
    assert [row["status"] for row in rows[4:]] == ["error", "error"]
    assert "unknown scope 'nowhere'" in rows[4]["rule"]
    assert "belongs to an account" in rows[5]["rule"]


def test_without_a_table_the_limits_of_the_profile_hold() -> None:
    standard = crossmargin.limits(_book(), options={"paths": "1000"})
    strict = crossmargin.limits(_book(), profile="conservative", options={"paths": "1000"})
    own = dict(zip(standard.column("metric"), standard.column("limit"), strict=True))
    other = dict(zip(strict.column("metric"), strict.column("limit"), strict=True))
    assert (own["leverage"], other["leverage"]) == (5.0, 2.0)
    assert own["var"] == pytest.approx(0.05 * EQUITY)
    changed = crossmargin.leverage_caps(
        _book(), profile=[["key", "value"], ["profile", "standard"], ["loss_budget", 0.1]]
    )
    words = [row["rule"] for row in records(changed) if row["term"] == "value-at-risk budget"]
    assert "budget 0.1" in words[0]


def test_expired_limits_and_those_not_yet_effective_are_said() -> None:
    header = "limit_id metric limit effective expires owner action"
    book = _book(as_of="2026-01-13T12:00:00Z")
    rows = _found(
        book,
        ["A", "leverage", 3, "2026-01-01", "2026-01-12", "desk", "sell"],
        ["B", "leverage", 3, "2026-02-01", "", "desk", "sell"],
        ["C", "leverage", 3, "2026-01-13", "2026-01-13", "desk", "sell"],
        header=header,
    )
    assert [row["status"] for row in rows] == ["expired", "not effective", "restricted"]
    assert rows[0]["rule"].startswith(
        "expired: it held until 2026-01-12, the book is of 2026-01-13"
    )
    assert (rows[0]["owner"], rows[0]["action"]) == ("desk", "sell")


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (["L", "levrage", 3], "unknown metric 'levrage'; known: leverage, usage"),
        (["L", "leverage", "much"], "limit needs text that can mean one number only, was much"),
        (["L", "es", -5], "limit must be zero or more, was -5"),
        (["L", "leverage", None], "a limit needs a limit"),
        (["L", "liqprob", 1.5], "limit must be a probability above 0 and below 1, was 1.5"),
    ],
)
def test_a_bad_row_says_why_and_the_others_are_compared(row: list[Any], sentence: str) -> None:
    found = _found(_book(), row, ["M", "leverage", 9])
    assert found[0]["status"] == "error"
    assert found[0]["value"] is None
    assert sentence in found[0]["rule"]
    assert "row 2" in found[0]["rule"]
    assert found[1]["status"] == "watch"


def test_warnings_on_the_wrong_side_of_a_limit_are_refused_by_row() -> None:
    rows = _found(
        _book(),
        ["A", "leverage", 5, 4, None],
        ["B", "leverage", None, 4, 3],
        ["C", "nearest", 0.1, 0.2, None],
        header="limit_id metric warn limit hard",
    )
    assert "warn must be at or below the limit, was 5 (row 2, A)" in rows[0]["rule"]
    assert "hard must be at or above the limit, was 3 (row 3, B)" in rows[1]["rule"]
    assert "warn must be at or above the limit" in rows[2]["rule"]


def test_a_table_without_its_columns_or_a_missing_depth_is_named() -> None:
    with pytest.raises(CrossmarginError, match="limits need a column named 'metric'"):
        crossmargin.limits(_book(), limits=table("limit_id limit", ["L", 3]))
    bare = _book(market=table("underlying dailyVol", ["BTC", 0.03]))
    (row,) = _found(bare, ["L", "depth", 1])
    assert "depth of BTC is missing: give depth1pct on the Market sheet" in row["rule"]
    with pytest.raises(CrossmarginError, match="depth1pct must be above zero"):
        _book(market=table("underlying depth1pct", ["BTC", 0]))
    with pytest.raises(
        CrossmarginError, match=r"loss_budget must be finite and above zero, was -0\.1"
    ):
        crossmargin.limits(_book(), options={"loss_budget": "-0.1"})


def test_an_account_without_equity_has_no_leverage_and_says_so() -> None:
    (row,) = _found(_book(cash=-1.0), ["L", "leverage", 3])
    assert row["status"] == "error"
    assert "needs an adjusted equity above zero, it is -1.00" in row["rule"]


def test_the_dynamic_cap_is_the_smallest_of_its_terms_each_in_its_row() -> None:
    # no share of the volume is free, so that the impact is seen
    both = records(crossmargin.leverage_caps(_book(), options={"free_share": "0"}))
    rows = [row for row in both if row["underlying"] == "BTC"]
    caps = {row["term"]: row["leverage_cap"] for row in rows}
    z = 2.3263478740408408  # normal quantile at 0.99
    impact = 2 / 3 * 0.03 * math.sqrt(2 / 20000)
    by_volatility = 0.75 * z * 0.03 + 0.25 * 0.3
    assert caps["tier cap"] == pytest.approx(10)
    assert caps["margin by volatility and liquidity"] == pytest.approx(
        1 / (by_volatility + 0.0001 + impact), rel=1e-9
    )
    assert caps["value-at-risk budget"] == pytest.approx(0.05 / (z * 0.03), rel=1e-9)
    assert caps["depth cap"] == pytest.approx(0.1 * 5e6 / EQUITY, rel=1e-12)
    cap = caps["liquidation-probability cap"]
    assert _barrier(cap) == pytest.approx(0.01, rel=1e-6)
    least = min(caps.values())
    assert [caps[row["term"]] for row in rows if row["binding"] == "yes"] == [least]
    (limit,) = _found(_book(), ["L", "leverage_cap", 1.0], free_share="0")
    uses = [row["leverage"] / row["leverage_cap"] for row in both if row["binding"] == "yes"]
    assert limit["value"] == pytest.approx(max(uses), rel=1e-12)


def _barrier(leverage: float) -> float:
    b, s = math.log((1 - 1 / leverage) / (1 - 0.01)), 0.03
    nu = -0.5 * s**2
    near, far = (0.5 * math.erfc(-x / math.sqrt(2)) for x in ((b - nu) / s, (b + nu) / s))
    return near + math.exp(2 * nu * b / s**2) * far


def test_what_a_term_needs_and_nobody_gives_is_said_and_the_others_bind() -> None:
    book = _book(market=table("underlying beta", ["BTC", 1.0]))
    rows = records(crossmargin.leverage_caps(book, scope="BTC"))
    words = {row["term"]: row["rule"] for row in rows}
    assert "volatility of BTC is missing" in words["value-at-risk budget"]
    assert "depth of BTC is missing" in words["depth cap"]
    assert [row["term"] for row in rows if row["binding"] == "yes"] == ["tier cap"]
