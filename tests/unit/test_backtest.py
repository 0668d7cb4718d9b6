"""Backtests and calibration: no look-ahead, the tests' figures by a second method, refusals."""

from __future__ import annotations

import math
import os
import random
import statistics
import subprocess
import sys
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import crossmargin
from crossmargin import registry
from tests.conftest import ROOT

if TYPE_CHECKING:
    from crossmargin.table import Table

COINS = {"BTC": 1.0, "ETH": -8.0, "SOL": 90.0}
PRICES = {"BTC": 60_000.0, "ETH": 2_500.0, "SOL": 150.0}
WINDOW = {"window": "120"}


def bars(count: int, seed: int = 5) -> list[list[object]]:
    """Return rows of a history that ends at today's prices; days in clusters of volatility."""
    draw = random.Random(seed)  # noqa: S311  # no secret
    moves, size = [], 1.0
    for _ in range(count - 1):
        common = size * draw.gauss(0, 1)
        size = math.sqrt(0.05 + 0.85 * size**2 + 0.1 * common**2)
        moves.append([0.03 * (0.8 * common + 0.6 * draw.gauss(0, 1)) for _ in PRICES])
    levels = [list(PRICES.values())]
    for row in reversed(moves):
        levels.append([level / math.exp(move) for level, move in zip(levels[-1], row, strict=True)])
    rows: list[list[object]] = [["date", *PRICES]]
    for day, row in enumerate(reversed(levels)):
        rows.append([str(np.datetime64("2020-01-01") + day), *row])
    return rows


def book(history: object, rulebook: object = "es", **options: Any) -> crossmargin.Book:
    positions: list[tuple[object, ...]] = [("symbol", "quantity", "markPrice", "entryPrice")]
    positions += [(coin, size, PRICES[coin], PRICES[coin]) for coin, size in COINS.items()]
    cash = [("currency", "cash"), ("USDC" if rulebook == "hyperliquid" else "USD", 100_000.0)]
    given: dict[str, Any] = {"history": history, **options}
    return crossmargin.book(positions, rulebook, collateral=cash, options=given)


def rows(table: Table) -> list[dict[str, Any]]:
    return [dict(zip(table.header, row, strict=True)) for row in table.rows]


def series(history: object, **options: str) -> list[dict[str, Any]]:
    asked = WINDOW | {"view": "series"} | options
    return rows(crossmargin.backtest(book(history), measure="margin", options=asked))


def by_test(table: Table) -> dict[str, dict[str, Any]]:
    return {str(row["test"]): row for row in rows(table)}


def test_no_margin_knows_the_bars_after_it() -> None:
    calm, stormy = bars(400), bars(400)
    for row in stormy[300:]:  # from the 300th bar on everything is another history
        row[1:] = [1.7 * float(str(level)) for level in row[1:]]
    before, after = series(calm), series(stormy)
    known = [row["known"] < calm[300][0] for row in before]
    same = [one["margin"] == other["margin"] for one, other in zip(before, after, strict=True)]
    assert same[: sum(known)] == [True] * sum(known)
    assert not any(same[sum(known) + 1 :])
    # the loss of the day on which the step happens is the first that differs
    losses = [one["loss"] == other["loss"] for one, other in zip(before, after, strict=True)]
    assert losses.index(False) == sum(known) - 1


@pytest.mark.parametrize("level", ["maintenance", "initial"])
def test_a_day_s_margin_is_that_of_a_book_whose_history_ends_on_that_day(level: str) -> None:
    history = bars(300)
    days = series(history, level=level)
    rulebook = crossmargin.rulebooks("es")
    key, value = rulebook.header.index("key"), rulebook.header.index("value")
    changed: list[list[Any]] = [list(rulebook.header), *(list(row) for row in rulebook.rows)]
    for row in changed:
        if row[key] == "tail.history.window":
            row[value] = 120.0
    of_level = {
        "maintenance": crossmargin.maintenance_margin,
        "initial": crossmargin.initial_margin,
    }
    for day in days[::37]:
        until = [row for row in history if row[0] == "date" or str(row[0]) <= day["known"]]
        expected = of_level[level](book(until, changed))
        assert day["margin"] == pytest.approx(expected, rel=1e-12)


def test_the_losses_are_the_book_s_money_by_the_relative_moves() -> None:
    history = bars(260)
    levels = {str(row[0]): row[1:] for row in history[1:]}
    for horizon in (1, 3):
        days = series(history, horizon_days=str(horizon))
        for day in days[::11]:
            end = levels[day["date"]]
            start = levels[str(np.datetime64(day["date"]) - horizon)]
            lost = -sum(
                COINS[coin] * PRICES[coin] * (float(str(to)) / float(str(of)) - 1)
                for coin, of, to in zip(COINS, start, end, strict=True)
            )
            assert day["loss"] == pytest.approx(lost, rel=1e-9)


def test_exceedances_are_the_days_of_the_series_and_their_drivers_sum_to_the_loss() -> None:
    history = bars(700)
    options = WINDOW | {"measure": "var"}
    del options["measure"]
    days = [
        row
        for row in rows(
            crossmargin.backtest(book(history), measure="var", options=WINDOW | {"view": "series"})
        )
        if row["exceeded"]
    ]
    found = rows(
        crossmargin.backtest(
            book(history), measure="var", options=options | {"view": "exceedances"}
        )
    )
    assert len(days) > 2
    assert [row["date"] for row in found] == [row["date"] for row in days]
    for row in found:
        results = [row[f"result_{place}"] for place in (1, 2, 3)]
        assert -sum(results) - row["others"] == pytest.approx(row["loss"], rel=1e-12)
        assert row["excess"] == pytest.approx(row["loss"] - row["margin"], rel=1e-12)
        assert results == sorted(results)


def test_kupiec_and_christoffersen_are_the_textbook_s_formulas_over_the_series() -> None:
    history = bars(900, seed=8)
    options = WINDOW | {"confidence": "0.95"}
    found = by_test(crossmargin.backtest(book(history), measure="var", options=options))
    days = rows(
        crossmargin.backtest(book(history), measure="var", options=options | {"view": "series"})
    )
    hit = [bool(row["exceeded"]) for row in days]
    n, x, p = len(hit), sum(hit), 0.05

    def log(exceeded: int, count: int, rate: float) -> float:
        first = exceeded * math.log(rate) if exceeded else 0.0
        return first + ((count - exceeded) * math.log(1 - rate) if count > exceeded else 0.0)

    ratio = 2 * (log(x, n, x / n) - log(x, n, p))
    kupiec = found["VaR Kupiec"]
    assert kupiec["statistic"] == pytest.approx(ratio, rel=1e-9)
    assert kupiec["p_value"] == pytest.approx(math.erfc(math.sqrt(ratio / 2)), rel=1e-9)
    mass = [math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)]
    exact = sum(one for one in mass if one <= mass[x] * (1 + 1e-7))
    assert found["VaR Kupiec, exact"]["p_value"] == pytest.approx(exact, rel=1e-9)
    pairs = list(pairwise(hit))
    after_calm = [later for first, later in pairs if not first]
    after_hit = [later for first, later in pairs if first]
    alone = [log(sum(own), len(own), sum(own) / len(own)) for own in (after_calm, after_hit)]
    together = [later for _, later in pairs]
    joint = log(sum(together), len(together), sum(together) / len(together))
    own = found["VaR Christoffersen independence"]
    assert own["statistic"] == pytest.approx(2 * (sum(alone) - joint), rel=1e-8)
    both = found["VaR Christoffersen conditional coverage"]
    assert both["p_value"] == pytest.approx(math.exp(-both["statistic"] / 2), rel=1e-9)
    assert both["statistic"] == pytest.approx(ratio + own["statistic"], rel=1e-9)


def test_the_shortfall_tests_are_acerbi_and_szekely_s_and_a_right_model_is_not_rejected() -> None:
    history = bars(900, seed=11)
    measures = {
        measure: rows(
            crossmargin.backtest(
                book(history), measure=measure, options=WINDOW | {"view": "series"}
            )
        )
        for measure in ("var", "es")
    }
    beyond = [
        one["loss"] / other["margin"]
        for one, other in zip(measures["var"], measures["es"], strict=True)
        if one["loss"] > one["margin"]
    ]
    found = by_test(crossmargin.backtest(book(history), measure="es", options=WINDOW))
    second = 1 - sum(beyond) / (len(measures["es"]) * 0.01)
    assert found["ES Acerbi-Szekely Z2"]["statistic"] == pytest.approx(second, rel=1e-9)
    first = 1 - sum(beyond) / len(beyond)
    assert found["ES Acerbi-Szekely Z1"]["statistic"] == pytest.approx(first, rel=1e-9)
    law = statistics.NormalDist()
    shortfall = law.pdf(law.inv_cdf(0.99)) / 0.01
    rate = math.erfc(shortfall / math.sqrt(2)) / 2
    assert found["ES exceedances against a normal law"]["expected"] == pytest.approx(
        rate * len(measures["es"]), rel=1e-9
    )


def test_a_margin_of_half_the_size_is_rejected() -> None:
    history = bars(900, seed=11)
    options = WINDOW | {"confidence": "0.6", "coverage": "0.99", "share": "0"}
    found = by_test(crossmargin.backtest(book(history), measure="margin", options=options))
    assert found["margin coverage"]["verdict"] == "rejected"
    options |= {"confidence": "0.99"}
    found = by_test(crossmargin.backtest(book(history), measure="margin", options=options))
    assert found["margin coverage"]["verdict"] == "accepted"


def test_overlapping_periods_are_flagged_and_tests_take_days_that_do_not_overlap() -> None:
    history = bars(500)
    found = by_test(crossmargin.backtest(book(history), options=WINDOW | {"horizon_days": "5"}))
    days, apart = found["days"]["observed"], found["overlapping periods"]["observed"]
    assert apart == math.ceil(days / 5)
    assert found["VaR Kupiec"]["expected"] == pytest.approx(0.01 * apart)
    assert "overlapping periods" not in by_test(crossmargin.backtest(book(history), options=WINDOW))


def test_floors_compare_figures_and_say_what_was_not_checked() -> None:
    found = by_test(crossmargin.backtest(book(bars(300)), measure="margin", options=WINDOW))
    art24 = found["EMIR RTS 153/2013 Art 24, 99 %"]
    assert (art24["verdict"], art24["expected"]) == ("pass", 0.99)
    assert found["EMIR RTS 153/2013 Art 26, 2 days"]["verdict"] == "fail"
    assert found["EMIR RTS 153/2013 Art 28(1)(b), stress"]["observed"] == 0.25
    assert found["EMIR RTS 153/2013 Art 28, one of three"]["verdict"] == "pass"
    assert found["EMIR RTS 153/2013 Art 28(1)(a), buffer"]["verdict"] == "fail"
    assert found["CPMI-IOSCO PFMI Principle 6, 99 %"]["verdict"] == "not checked"
    assert all("not legal advice" in row["note"] for name, row in found.items() if "EMIR" in name)
    initial = WINDOW | {"level": "initial", "share": "0.1"}
    found = by_test(crossmargin.backtest(book(bars(300)), measure="margin", options=initial))
    assert found["EMIR RTS 153/2013 Art 28(1)(a), buffer"]["verdict"] == "pass"
    assert found["EMIR RTS 153/2013 Art 28(1)(b), stress"]["verdict"] == "fail"


def test_a_rulebook_without_a_tail_is_tested_with_its_margin_of_today() -> None:
    history = bars(300)
    held = book(history, "hyperliquid")
    days = rows(crossmargin.backtest(held, measure="margin", options={"view": "series"}))
    assert len(days) == 299
    margin = crossmargin.maintenance_margin(held)
    assert {day["margin"] for day in days} == {margin}
    found = by_test(crossmargin.backtest(held))
    assert found["VaR"]["verdict"] == found["ES"]["verdict"] == "not applicable"
    assert found["peak to trough"]["statistic"] == 1
    assert found["margin coverage"]["observed"] == sum(day["loss"] > margin for day in days)
    assert found["EMIR RTS 153/2013 Art 24, 99 %"]["verdict"] == "not applicable"


def test_accounts_are_pooled_by_date() -> None:
    header = ("account", "symbol", "quantity", "markPrice", "entryPrice")
    positions = [header, *((name, "BTC", 1.0, 6e4, 6e4) for name in ("a", "b"))]
    cash = [("account", "currency", "cash"), ("a", "USD", 1e5), ("b", "USD", 1e5)]
    given: dict[str, Any] = {"history": bars(600)}
    held = crossmargin.book(positions, "es", collateral=cash, options=given)
    options = WINDOW | {"confidence": "0.9", "share": "0"}
    table = rows(crossmargin.backtest(held, measure="margin", options=options))
    own = next(row for row in table if row["test"] == "margin coverage")
    pooled = next(row for row in table if row["test"] == "margin coverage, pooled")
    by_date = next(row for row in table if row["test"] == "exceedances by date")
    assert pooled["observed"] == 2 * own["observed"] > 0
    assert by_date["statistic"] == own["observed"]


def test_progress_is_told_and_what_it_raises_stops_the_work() -> None:
    held = book(bars(700))
    for asked in (crossmargin.backtest, crossmargin.calibration):
        told: list[tuple[int, int]] = []
        asked(held, options=WINDOW, progress=lambda *steps, told=told: told.append(steps))
        assert told[-1][0] == told[-1][1] > 0
        assert sorted(told) == told

    def stop(done: int, expected: int) -> None:
        raise KeyboardInterrupt(f"{done} of {expected}")

    for asked in (crossmargin.backtest, crossmargin.calibration):
        with pytest.raises(KeyboardInterrupt):
            asked(held, options=WINDOW, progress=stop)


def test_a_rulebook_that_the_history_is_too_short_for_does_not_stop_a_calibration() -> None:
    options = {"window": "120", "scenarios": "historical"}  # the rulebook itself takes 500 moves
    found = rows(crossmargin.calibration(book(bars(500)), options=options))
    assert [row["parameters"] for row in found if row["rank"]] == [
        "window=120; scenarios=historical"
    ]


def test_the_sheet_functions_do_not_have_the_callback() -> None:
    for name in ("CM_BACKTEST", "CM_CALIBRATE"):
        assert "progress" not in [argument.name for argument in registry.record(name).arguments]
    key = registry.call(
        "CM_BOOK",
        [
            [["symbol", "quantity", "markPrice", "entryPrice"], ["BTC", 1.0, 6e4, 6e4]],
            "hyperliquid",
            [["currency", "cash"], ["USDC", 1e5]],
        ],
    )
    refused = registry.call("CM_BACKTEST", [key])
    assert str(getattr(refused, "reason", refused)).startswith("history is missing")


REFUSALS = [
    (
        {"window": "50"},
        "50 scenarios are too few for a confidence of 0.99: at least 100 are needed",
    ),
    ({"window": "500"}, "of 500 moves that the rulebook counts are known"),
    ({"horizon_days": "250"}, "longer than the history"),
    ({"horizon_days": "0.5"}, "a loss is seen over whole bars"),
    ({"first": "2030-01-01"}, "no day is left to test"),
    ({"windows": "5"}, "unknown option 'windows'; known: view, level, coverage"),
    ({"view": "chart"}, "unknown view 'chart'; known: tests, exceedances, series"),
    ({"coverage": "99"}, "coverage must be from 0.501 to 0.99999, was 99"),
    ({"first": "soon"}, "unknown first 'soon'; known: a date"),
]


@pytest.mark.parametrize(("options", "sentence"), REFUSALS)
def test_bad_input_is_refused_in_a_sentence(options: dict[str, str], sentence: str) -> None:
    with pytest.raises(crossmargin.CrossmarginError) as refusal:
        crossmargin.backtest(book(bars(200)), options=WINDOW | options)
    assert sentence in str(refusal.value)


def test_a_history_that_never_moves_is_refused() -> None:
    still = bars(300)
    for row in still[1:]:
        row[2] = 7.0
    with pytest.raises(crossmargin.CrossmarginError, match="the history of ETH never moves"):
        crossmargin.backtest(book(still), options=WINDOW)
    with pytest.raises(crossmargin.CrossmarginError, match="unknown measure 'cvar'"):
        crossmargin.backtest(book(bars(300)), measure="cvar", options=WINDOW)


def test_shocks_are_the_quantile_of_moves_either_way_and_cover_walking_forward() -> None:
    history = bars(900, seed=3)
    options = {"scenarios": "historical", "window": "250,400", "folds": "2021-12,2022-03"}
    found = rows(crossmargin.calibration(book(history), what="scan", options=options))
    levels = np.array([[float(str(level)) for level in row[1:]] for row in history[1:]])
    for place, coin in enumerate(COINS):
        sizes = np.abs(levels[1:, place] / levels[:-1, place] - 1)
        own = [row for row in found if row["scope"] == coin and row["name"] != "walk forward"]
        assert [row["rank"] for row in own] == [1, 2]
        for row in own:
            window = 250 if "250" in row["parameters"] else 400
            expected = np.sort(sizes[-window:])[math.ceil(window * 0.99) - 1]
            assert row["now"] == pytest.approx(expected, rel=1e-9)
            path = np.array(
                [
                    np.sort(sizes[end - window : end])[math.ceil(window * 0.99) - 1]
                    for end in range(400, len(sizes))
                ]
            )  # candidates are compared on the days that all have
            after = sizes[400:]
            assert row["average"] == pytest.approx(path.mean(), rel=1e-9)
            assert row["exceeded"] == (after > path).sum()
            assert row["cost"] == pytest.approx(np.maximum(after - path, 0).mean(), rel=1e-9)
            assert row["peak_to_trough"] == pytest.approx(path.max() / path.min(), rel=1e-9)
            rise = (path[5:] - path[:-5]).max()
            assert row["objective"] == pytest.approx(
                row["average"] + 100 * row["cost"] + rise, rel=1e-9
            )


def test_the_best_parameters_are_named_and_a_fold_chooses_before_it_begins() -> None:
    history = bars(1300, seed=3)
    options = {"scenarios": "historical,filtered", "share": "0,0.25"}
    held = book(history)
    found = rows(crossmargin.calibration(held, options=options | {"folds": "2022-09,2023-01"}))
    assert found[0]["name"] in {"best", "nearest: none covers"}
    assert found[1]["name"] == "walk forward"
    folds = rows(
        crossmargin.calibration(
            held, options=options | {"folds": "2022-09,2023-01", "view": "folds"}
        )
    )
    assert [row["fold"] for row in folds] == ["2022-09-01", "2023-01-01", "all"]
    assert folds[-1]["days"] == folds[0]["days"] + folds[1]["days"] == found[1]["days"]
    # what comes after a fold began has no part in its choice
    other = [list(row) for row in history]
    for row in other[1:]:
        if str(row[0]) > "2023-01-01":
            row[1:] = [float(str(level)) ** 1.01 for level in row[1:]]
    again = rows(
        crossmargin.calibration(
            book(other), options=options | {"folds": "2022-09,2023-01", "view": "folds"}
        )
    )
    assert [row["parameters"] for row in again] == [row["parameters"] for row in folds]
    assert again[0]["average"] == folds[0]["average"]
    assert again[1]["average"] != folds[1]["average"]


def test_calibration_of_a_tail_needs_one_and_unknown_keys_are_refused() -> None:
    with pytest.raises(crossmargin.CrossmarginError, match="is not measured by value at risk"):
        crossmargin.calibration(book(bars(300), "hyperliquid"))
    with pytest.raises(crossmargin.CrossmarginError, match="unknown what 'grid'"):
        crossmargin.calibration(book(bars(300)), what="grid")
    with pytest.raises(crossmargin.CrossmarginError, match="unknown option 'lambda'"):
        crossmargin.calibration(book(bars(300)), options={"lambda": "0.9"})


def test_two_sources_are_spliced_without_a_step() -> None:
    history = bars(300)
    newer = [history[0], *history[150:]]
    older = [
        history[0],
        *([row[0], *[2.5 * float(str(level)) for level in row[1:]]] for row in history[1:151]),
    ]
    joined = crossmargin.spliced_history([older, newer])
    whole, parts = series(history), series(joined)
    for one, other in zip(whole, parts, strict=True):
        assert other["margin"] == pytest.approx(one["margin"], rel=1e-9)
    with pytest.raises(crossmargin.CrossmarginError, match="a date on which both sources know BTC"):
        crossmargin.spliced_history([older[:-1], newer])


def test_the_number_of_threads_changes_no_bit() -> None:
    script = (
        "import sys; sys.path[:0] = ['.', 'tests/unit']; import test_backtest as t, crossmargin\n"
        "held = t.book(t.bars(400))\n"
        "print(crossmargin.backtest(held, options=t.WINDOW).rows)\n"
        "print(crossmargin.calibration(held, options=t.WINDOW | {'scenarios': 'filtered'}).rows)"
    )
    printed = [
        subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ | {"RAYON_NUM_THREADS": threads},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "2", "8")
    ]
    assert len(printed[0]) > 1_000
    assert len(set(printed)) == 1
