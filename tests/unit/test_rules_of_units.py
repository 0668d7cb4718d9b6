"""Parts of a rulebook by themselves: borrowing, blends, ranges, index prices, settlement."""

from __future__ import annotations

from typing import Any

import pytest

import crossmargin
from crossmargin import errors

Row = dict[str, Any]
cm: Any = crossmargin

AS_OF = "2026-03-27T07:45:00Z"  # a quarter of an hour before the expiry of the 27th


def _rulebook(profile: Row | None = None, **more: Any) -> Row:
    """Return a rulebook whose scenarios are a tenth down and up, each coin by itself."""
    moves = {"set": "moves", "price_moves": [-0.1, 0.1]}
    return {
        "id": "units",
        "version": "1",
        "venue": "test",
        "report_currency": "USD",
        "settle": "USDT",
        "source": "this test",
        "retrieved": "2026-11-21",
        "effective": "2026-11-21",
        "measure": {"kind": "scenarios"},
        "profiles": [{"underlyings": ["*"], "scenarios": [moves]} | (profile or {})],
        **more,
    }


def _row(quantity: float, coin: str = "BTC", **columns: Any) -> Row:
    return {
        "symbol": f"{coin}-PERP",
        "type": "perpetual",
        "underlying": coin,
        "settle": "USDT",
        "quantity": quantity,
        "markPrice": 100.0,
        "entryPrice": 100.0,
        **columns,
    }


def _book(rows: list[Row], rulebook: Any, collateral: list[Row] | None = None, **more: Any) -> Any:
    market = [
        {"underlying": "BTC", "indexPrice": 110.0, "annualVol": 0.5},
        {"underlying": "ETH", "indexPrice": 100.0},
        {"underlying": "USDT", "indexPrice": 0.5},
    ]
    balances = collateral or [{"currency": "USDT", "cash": 0.0}]
    return cm.book(rows, rulebook, collateral=balances, market=market, **more)


def _components(book: Any, measure: str = "MM") -> dict[str, Row]:
    rows = cm.explanation(book, measure=measure).records()
    counted = [row["amount"] for row in rows[:-1] if row["counts"] == "yes"]
    assert rows[-1]["amount"] == pytest.approx(sum(counted), rel=1e-15)
    return {row["component"]: row for row in rows}


# Borrowing ---------------------------------------------------------------------------------------

RATES = {"currencies": ["USDT"], "initial": 0.1, "maintenance": 0.02}


def test_a_negative_balance_needs_its_rate_outside_the_factors() -> None:
    """300 USDT owed at 0.5 are 150: 3 and 15, beside a tenth of 200 x 0.5 with its factor."""
    rules = _rulebook(borrowing=[RATES], levels={"initial": {"factor": 2.0}})
    book = _book([_row(2.0)], rules, [{"currency": "USDT", "cash": -300.0}])
    scan = 0.1 * 200.0 * 0.5
    assert cm.maintenance_margin(book) == pytest.approx(scan + 3.0, rel=1e-15)
    assert cm.initial_margin(book) == pytest.approx(2.0 * scan + 15.0, rel=1e-15)
    row = _components(book)["borrowed USDT"]
    assert (row["base"], row["amount"], row["counts"]) == (150.0, 3.0, "yes")
    assert row["inputs"] == "borrowed = 300; price = 0.5; rate and factor = 0.02"


def test_unrealised_losses_are_borrowed_and_gains_repay() -> None:
    rules = _rulebook(borrowing=[RATES])
    for entry, owed in [(100.0, 50.0), (140.0, 130.0), (80.0, 10.0), (70.0, 0.0)]:
        cash = [{"currency": "USDT", "cash": -50.0}]
        book = _book([_row(2.0, entryPrice=entry)], rules, cash)
        rows = _components(book)
        assert rows.get("borrowed USDT", {"base": 0.0})["base"] == pytest.approx(owed * 0.5)


def test_a_currency_without_a_rate_is_refused_by_name() -> None:
    rules = _rulebook(borrowing=[{**RATES, "currencies": ["USDC"]}])
    book = _book([_row(2.0)], rules, [{"currency": "USDT", "cash": -300.0}])
    rule = (
        r"borrowing rate of USDT is missing \(row 2, USDT\): its balance is below zero and rulebook"
    )
    with pytest.raises(errors.MissingError, match=rule):
        cm.maintenance_margin(book)


def test_the_rate_of_all_others_is_for_currencies_that_no_entry_names() -> None:
    others = {"currencies": ["*"], "initial": 1.0, "maintenance": 0.5}
    rules = _rulebook(borrowing=[others, RATES])
    held = [{"currency": "USDT", "cash": -300.0}, {"currency": "USD", "cash": -10.0}]
    rows = _components(_book([_row(2.0)], rules, held))
    assert rows["borrowed USDT"]["amount"] == pytest.approx(3.0)
    assert rows["borrowed USD"]["amount"] == pytest.approx(5.0)


@pytest.mark.parametrize("kind", ["tiers", "normal_value_at_risk"])
def test_borrowing_is_added_to_every_measure_and_moves_the_liquidation_price(kind: str) -> None:
    measure: Row = {"kind": kind}
    if kind == "normal_value_at_risk":
        measure |= {"confidence": 0.99, "horizon_days": 1.0}
    bare = {key: value for key, value in _rulebook().items() if key != "profiles"}
    rows = [_row(2.0, maintenanceMarginRate=0.01)]
    held = [{"currency": "USDT", "cash": -150.0}, {"currency": "BTC", "cash": 2.0}]
    rates = {"collateral": {"rates": {"BTC": {"from": [0.0], "rate": [0.9]}}}}
    without = _book(rows, bare | {"measure": measure} | rates, held)
    owing = _book(rows, bare | {"measure": measure, "borrowing": [RATES]} | rates, held)
    more = cm.maintenance_margin(owing) - cm.maintenance_margin(without)
    assert more == pytest.approx(0.02 * 150.0 * 0.5, rel=1e-12)
    prices = [cm.liquidation_price(book, "BTC") for book in (without, owing)]
    assert prices[0] is not None
    assert prices[1] is not None
    assert prices[1] > prices[0]


@pytest.mark.parametrize(
    ("entries", "rule"),
    [
        ([{**RATES, "currencies": []}], r"borrowing.1.currencies: names no currency"),
        ([RATES, RATES], r"borrowing.2.currencies: names a currency that another entry is about"),
        ([{**RATES, "initial": -0.1}], r"borrowing.1.initial"),
        ([{"currencies": ["USDT"], "initial": 0.1}], r"maintenance"),
        ([{**RATES, "source": "nowhere"}], r"nowhere"),
    ],
)
def test_a_borrowing_entry_that_says_nothing_useful_is_refused(
    entries: list[Row], rule: str
) -> None:
    with pytest.raises(errors.RulebookError, match=rule):
        _book([_row(1.0)], _rulebook(borrowing=entries))


# Blends ------------------------------------------------------------------------------------------

SETS = [
    {"set": "history", "price_moves": [-0.05, 0.05]},
    {"set": "stress", "price_moves": [-0.3, 0.3]},
    {"set": "far", "price_moves": [-0.9, 0.9], "weight": 0.1},
]


def test_a_blend_adds_the_shares_of_two_worst_cases() -> None:
    """The stress of 30 % outweighs a tenth of 90 %; 75 % of 5 and 25 % of 30 of 100 USD."""
    rules = _rulebook({"scenarios": SETS, "blend": {"set": "history", "share": 0.75}})
    book = _book([_row(2.0)], rules)
    assert cm.maintenance_margin(book) == pytest.approx(0.75 * 5.0 + 0.25 * 30.0)
    rows = _components(book)
    counts = {name: (row["amount"], row["counts"]) for name, row in rows.items()}
    assert counts["worst of history"] == (pytest.approx(3.75), "yes")
    assert counts["worst of stress"] == (pytest.approx(7.5), "yes")
    assert counts["worst of far"] == (pytest.approx(2.25), "no")
    listed = cm.scenarios(book, layout="list").records()
    counted = [(row["set"], row["price_move"]) for row in listed if row["counts"] == "yes"]
    assert counted == [("history", -0.05), ("stress", -0.3)]
    held = cm.scenarios(book, layout="positions").records()
    assert [row["pnl"] for row in held if row["symbol"] == "TOTAL"] == pytest.approx([-5.0, -30.0])
    shares = cm.explanation(book, group_by="position").records()
    assert shares[0]["amount"] == pytest.approx(11.25)


@pytest.mark.parametrize(
    ("blend", "rule"),
    [
        ({"set": "none", "share": 0.5}, "blend.set: names the set 'none', the profile has moves"),
        ({"set": "moves", "share": 0.5}, "blend.set: is the only set; a blend needs two"),
    ],
)
def test_a_blend_of_one_set_is_refused(blend: Row, rule: str) -> None:
    with pytest.raises(errors.RulebookError, match=rule):
        _book([_row(1.0)], _rulebook({"blend": blend}))


def test_a_share_above_one_is_refused() -> None:
    rules = _rulebook({"scenarios": SETS, "blend": {"set": "history", "share": 1.5}})
    with pytest.raises(errors.RulebookError, match=r"blend\.share"):
        _book([_row(1.0)], rules)


# Prices of scenarios and charges -----------------------------------------------------------------


def test_moves_are_counted_in_the_range() -> None:
    moves = {"set": "moves", "price_range": 0.3, "price_moves": [-1.0, 0.5]}
    book = _book([_row(2.0)], _rulebook({"scenarios": [moves]}))
    listed = cm.scenarios(book, layout="list").records()
    assert [row["price_move"] for row in listed] == [-0.3, 0.15]


@pytest.mark.parametrize("moves", [{"price_moves": [-4.0]}, {"price_multipliers": [0.9]}])
def test_a_range_that_leaves_no_price_or_counts_no_moves_is_refused(moves: Row) -> None:
    scenarios = [{"set": "moves", "price_range": 0.3, **moves}]
    with pytest.raises(errors.RulebookError, match="price_range"):
        _book([_row(1.0)], _rulebook({"scenarios": scenarios}))


def test_scenarios_move_the_index_where_the_rulebook_says_so() -> None:
    """Two coins at an index of 110 USDT, each worth half a dollar."""
    book = _book([_row(2.0)], _rulebook({"price": "index"}))
    assert cm.maintenance_margin(book) == pytest.approx(0.1 * 2.0 * 110.0 * 0.5)


def test_charges_at_the_mark_are_in_the_currency_of_the_report() -> None:
    def charge(on: str, **keys: Any) -> Row:
        return {"name": on, "on": on, "stage": "inside", "price": "mark", **keys}

    charges = [
        charge("roll", minimum=0.01, annualised=0.0, growth="linear"),
        charge("tiered_delta", rate=0.1, **{"from": [0.0, 5.0], "multiplier": [1.0, 3.0]}),
        charge("notional", rate=0.2, kinds=["perpetual"]),
    ]
    rows = _components(_book([_row(2.0)], _rulebook({"charges": charges})))
    amounts = {name.split(" ")[0]: row["amount"] for name, row in rows.items()}
    assert amounts["roll"] == pytest.approx(0.01 * 100.0)
    assert amounts["tiered_delta"] == pytest.approx(0.1 * 100.0 * 3.0)
    assert amounts["notional"] == pytest.approx(0.2 * 100.0)


# One index for several coins ---------------------------------------------------------------------


def test_an_amount_of_the_account_is_charged_once_however_many_coins_it_holds() -> None:
    fixed = {"name": "fee", "on": "fixed", "stage": "outside", "rate": 7.0}
    doubted = {
        "name": "doubt",
        "on": "confidence",
        "stage": "outside",
        "rate": 1.0,
        "threshold": 0.9,
        "kinds": ["perpetual"],
        "collateral": True,
    }
    rules = _rulebook(
        {"charges": [fixed, doubted]},
        measure={"kind": "scenarios", "unit": "account"},
        collateral={"rates": {"SOL": {"from": [0.0], "rate": [0.9]}}},
    )
    held = [{"currency": "SOL", "cash": 3.0, "price": 10.0, "confidence": 0.5}]
    book = _book([_row(2.0), _row(1.0, "ETH")], rules, held)
    rows = _components(book)
    amounts = {name.split(" ")[0]: row["amount"] for name, row in rows.items()}
    assert amounts["fee"] == 7.0
    assert amounts["doubt"] == pytest.approx(0.5 * 30.0)


# Settlement --------------------------------------------------------------------------------------


def _expiring(kind: str, **columns: Any) -> Row:
    return {
        "symbol": "BTC-27MAR26" + ("-50-C" if kind == "option" else ""),
        "type": kind,
        "underlying": "BTC",
        "settle": "USDC",
        "quantity": 2.0,
        "markPrice": 100.0,
        **columns,
    }


OPTION = {"strike": 50.0, "optionType": "call", "forward": 100.0, "markIv": 0.5, "markPrice": None}


def _settling(rulebook: Any, *rows: Row, cash: float = 1000.0) -> Any:
    market = [
        {"underlying": "BTC", "indexPrice": 100.0},
        {"underlying": "USDC", "indexPrice": 1.0},
    ]
    held = [{"currency": "USDC", "cash": cash}]
    return cm.book(list(rows), rulebook, collateral=held, market=market, as_of=AS_OF)


@pytest.mark.parametrize("rulebook", ["deribit-spm", "deribit-sm"])
@pytest.mark.parametrize("kind", ["future", "option"])
def test_half_way_through_the_settlement_window_half_of_the_delta_is_left(
    rulebook: str, kind: str
) -> None:
    row = _expiring(kind, **(OPTION if kind == "option" else {"entryPrice": 100.0}))
    (found, _total) = cm.exposure(_settling(rulebook, row)).records()
    assert found["delta"] == pytest.approx(1.0, rel=1e-12)


def test_a_future_being_settled_moves_by_the_open_half_in_scenarios_and_in_the_market() -> None:
    book = _settling("deribit-spm", _expiring("future", entryPrice=100.0))
    listed = cm.scenarios(book, layout="list").records()
    grid = {row["price_move"]: row["pnl"] for row in listed if row["set"] == listed[0]["set"]}
    lowest = min(grid)
    assert lowest < -0.1
    assert grid[lowest] == pytest.approx(2.0 * 100.0 * lowest / 2.0, rel=1e-12)
    # 60 of cash are lost where the coin has fallen by 60, of which half reaches two coins
    small = _settling("deribit-spm", _expiring("future", entryPrice=100.0), cash=60.0)
    bankrupt = cm.liquidation_price(small, "BTC", side="down", which="bankrupt")
    assert bankrupt == pytest.approx(40.0, rel=1e-12)


def test_a_perpetual_is_never_settled() -> None:
    (found, _total) = cm.exposure(
        _settling("deribit-spm", _expiring("perpetual", symbol="BTC-PERPETUAL", entryPrice=100.0))
    ).records()
    assert found["delta"] == 2.0


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        ((1.0, 0.3, -1.0), "elapsed_seconds must be zero or above"),
        ((float("nan"), 0.3, 0.0), "delta must be a finite number"),
        ((1.0, float("inf"), 0.0), "mark_price must be a finite number"),
    ],
)
def test_a_settlement_delta_of_no_number_is_refused(
    arguments: tuple[float, float, float], rule: str
) -> None:
    with pytest.raises(errors.OutOfRangeError, match=rule):
        cm.settlement_delta(*arguments)


def test_a_settlement_window_has_a_length() -> None:
    with pytest.raises(errors.OutOfRangeError, match="window_seconds must be finite and above"):
        cm.settlement_delta(1.0, 0.3, 0.0, window_seconds=0.0)
    assert cm.settlement_delta(1.0, 0.3, 60.0, window_seconds=60.0) == (0.0, 0.0)


# What stands in, and what cannot ------------------------------------------------------------------


def _codes(book: Any) -> list[tuple[str, str]]:
    return [(row["value"], row["code"]) for row in cm.check(book).records()]


def test_a_mark_that_stands_in_for_the_index_is_said() -> None:
    charge = {"name": "shorts", "on": "short_options", "stage": "floor", "rate": 0.01}
    for rules, said in [(_rulebook({"charges": [charge]}), True), (_rulebook(), False)]:
        market = [{"underlying": "USDT", "indexPrice": 0.5}]
        book = crossmargin.book([_row(2.0)], rules, market=market)
        assert (("BTC", "index_assumed") in _codes(book)) is said
        assert ("BTC", "index_assumed") not in _codes(_book([_row(2.0)], rules))


def test_a_funding_rate_that_nobody_gives_is_said() -> None:
    charge = {"name": "funding", "on": "funding", "stage": "outside", "hours": 24.0}
    rules = _rulebook({"charges": [charge]})
    assert ("BTC-PERP", "funding_rate_missing") in _codes(_book([_row(2.0)], rules))
    given = _book([_row(2.0, fundingRate=0.0)], rules)
    assert "funding_rate_missing" not in [code for _, code in _codes(given)]


def _two_accounts(first: str, second: str, rate: float, **more: Any) -> Any:
    """Return a book whose two accounts hold one option under rulebooks that discount or do not."""
    row = _expiring("option", **OPTION, rate=rate, expiry="2026-06-26", symbol="BTC-26JUN26-50-C")
    rows = [{**row, "account": account, "inverse": "no"} for account in ("a", "b")]
    held = [{"account": account, "currency": "USDC", "cash": 1000.0} for account in ("a", "b")]
    market = [
        {"underlying": "BTC", "indexPrice": 100.0},
        {"underlying": "USDC", "indexPrice": 1.0},
    ]
    rulebooks = [["a", first], ["b", second]]
    return crossmargin.book(
        rows, rulebooks, collateral=held, market=market, as_of=AS_OF, options=more
    )


@pytest.mark.parametrize(
    "rulebooks", [("derive-pm2", "deribit-spm"), ("deribit-spm", "derive-pm2")]
)
def test_a_contract_that_two_rulebooks_price_differently_is_refused(
    rulebooks: tuple[str, str],
) -> None:
    rule = "held under .* and .*, which discount it or average its settlement price differently"
    with pytest.raises(errors.TableError, match=rule):
        _two_accounts(*rulebooks, 0.1)
    # without a rate there is nothing to discount, and the two agree
    book = _two_accounts(*rulebooks, 0.0)
    assert cm.equity(book, scope="a") == cm.equity(book, scope="b")


def test_each_option_is_discounted_as_the_rulebook_of_its_account_says() -> None:
    """One account's option is worth the same whatever other account stands before it."""
    for first, second in [("derive-pm2", "deribit-spm"), ("deribit-spm", "derive-pm2")]:
        alone = {}
        for account, rulebook in (("a", first), ("b", second)):
            row = _expiring("option", **OPTION, rate=0.1, expiry="2026-06-26")
            row |= {"symbol": f"BTC-26JUN26-{50 if account == 'a' else 60}-C", "inverse": "no"}
            row |= {"strike": 50.0 if account == "a" else 60.0, "account": account}
            alone[account] = (row, rulebook)
        market = [
            {"underlying": "BTC", "indexPrice": 100.0},
            {"underlying": "USDC", "indexPrice": 1.0},
        ]

        def equity(rows: list[Row], rulebook: Any, scope: str, prices: Any = market) -> float:
            book = crossmargin.book(rows, rulebook, market=prices, as_of=AS_OF)
            return cm.equity(book, scope=scope)  # type: ignore[no-any-return]

        both = [[account, rulebook] for account, (_, rulebook) in alone.items()]
        for account, (row, rulebook) in alone.items():
            together = equity([row for row, _ in alone.values()], both, account)
            assert together == equity([row], rulebook, account)


@pytest.mark.parametrize("rulebook", ["derive-sm", "derive-pm2"])
def test_a_spread_is_one_expiry_however_the_seconds_of_its_date_were_rounded(
    rulebook: str,
) -> None:
    """A day before expiry, one leg by its date, the other with half a second less."""
    margins = []
    for seconds in (None, 86_400.0, 86_399.5):
        legs = [
            {"quantity": -1.0, "strike": 100.0, "symbol": "BTC-28MAR26-100-C"},
            {"quantity": 1.0, "strike": 110.0, "symbol": "BTC-28MAR26-110-C"},
        ]
        rows = [_expiring("option", **OPTION) | {"inverse": "no"} | leg for leg in legs]
        rows[1] |= {"secondsToExpiry": seconds}
        book = crossmargin.book(
            rows,
            rulebook,
            collateral=[{"currency": "USDC", "cash": 1000.0}],
            market=[
                {"underlying": "BTC", "indexPrice": 100.0},
                {"underlying": "USDC", "indexPrice": 1.0},
            ],
            as_of="2026-03-27T08:00:00Z",
        )
        margins.append(cm.maintenance_margin(book))
    assert margins[1] == pytest.approx(margins[0], rel=1e-12)
    assert margins[2] == pytest.approx(margins[0], rel=1e-3)
