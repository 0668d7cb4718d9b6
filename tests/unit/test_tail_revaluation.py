"""How a rulebook's tail is valued: in full, screened to the same bits, or by delta and gamma."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

import crossmargin as cm

if TYPE_CHECKING:
    Cell = float | str | None

MARKS = {"BTC": 90_000.0, "ETH": 3_000.0}
DAYS, PATHS = 502, 20_000


def _history() -> dict[str, list[object]]:
    draw = np.random.default_rng(3)
    days = np.datetime64("2025-01-01") + np.arange(DAYS)
    columns: dict[str, list[object]] = {"date": [str(day) for day in days]}
    market = draw.standard_t(5, DAYS) * 0.02
    for coin, mark in MARKS.items():
        level = np.cumsum(market + 0.01 * draw.standard_normal(DAYS))
        columns[coin] = list(mark * np.exp(level - level[-1]))
        for tenor in (7, 30, 90):
            vols = np.cumsum(-0.5 * market + 0.03 * draw.standard_normal(DAYS))
            columns[f"{coin} vol {tenor}d"] = list(0.6 * np.exp(0.2 * (vols - vols[-1])))
    return columns


def _book(count: int = 160) -> cm.Book:
    draw = np.random.default_rng(9)
    rows: list[dict[str, Cell]] = []
    for place in range(count):
        coin = ("BTC", "ETH")[place % 2]
        days = float(draw.choice([2.0, 9.0, 30.0, 120.0]))
        spread = 0.6 * math.sqrt(days / 365.0)
        in_coin = place % 4 == 0
        rows.append(
            {
                "symbol": f"OPTION{place:03d}",
                "type": "option",
                "underlying": coin,
                "settle": coin if in_coin else "USDC",
                "strike": MARKS[coin] * math.exp(spread * float(draw.uniform(-1.5, 1.5))),
                "optionType": str(draw.choice(["call", "put"])),
                "secondsToExpiry": 86_400.0 * days,
                "quantity": float(draw.normal()) * 50_000.0 / MARKS[coin],
                "impliedVolatilityFraction": float(draw.uniform(0.4, 0.9)),
                "forward": MARKS[coin],
                "unrealizedPnl": 0.0,
            }
        )
    return cm.book(
        rows,
        "es",
        collateral=[{"currency": "USDC", "cash": 1e6}, {"currency": "BTC", "cash": 2.0}],
        market=[
            *({"underlying": coin, "indexPrice": price} for coin, price in MARKS.items()),
            {"underlying": "USDC", "indexPrice": 1.0},
        ],
        options={"history": _history()},
    )


def _tail(
    book: cm.Book, revaluation: str, measure: str = "all", paths: int = PATHS
) -> list[dict[str, Cell]]:
    options = {"revaluation": revaluation, "paths": str(paths), "law": "student_t"}
    options["degrees_of_freedom"] = "5"
    found = cm.tail_measures(book, measure=measure, method="simulated", options=options)
    return list(found.records())


@pytest.fixture(scope="module")
def book() -> cm.Book:
    return _book()


def test_screened_margins_intervals_and_losses_are_the_same_bits(book: cm.Book) -> None:
    full, screened = _tail(book, "full"), _tail(book, "screened")
    for one, other in zip(full, screened, strict=True):
        assert "screened: " in str(other.pop("note"))
        assert "screened" not in str(one.pop("note"))
        assert one == other
    assert _tail(book, "full", "losses") == _tail(book, "screened", "losses")


def test_delta_and_gamma_say_how_far_they_are_off(book: cm.Book) -> None:
    exact = {str(row["measure"]): row for row in _tail(book, "full")}
    rough = {str(row["measure"]): row for row in _tail(book, "delta_gamma")}
    note = str(rough["ES"]["note"])
    assert "by delta, gamma and vega alone" in note
    said = float(note.partition("the mean loss of its tail is ")[2].partition(" higher")[0])
    # no tail has a larger mean than the exact one, and this one was chosen by approximate losses
    assert said != 0.0
    assert float(rough["ES"]["value"] or 0) + said <= float(exact["ES"]["value"] or 0) + 0.01


def test_a_small_book_says_that_it_was_not_worth_screening() -> None:
    note = str(_tail(_book(4), "screened", paths=2_000)[0]["note"])
    assert "every scenario valued, not screened: the book is small" in note


COMMAND = """
import sys
sys.path.insert(0, {folder!r})
import test_tail_revaluation as made
from crossmargin import cli, functions
book = made._book(400)
def asked(*_arguments, **_options):
    print("begun", flush=True)
    return made._tail(book, "full", paths=2_000_000)
cli.cli.add_command(cli.click.Command("long", callback=asked))
sys.exit(cli.main(["long"]))
"""


def test_ctrl_c_ends_a_command_with_a_sentence_and_130() -> None:
    code = COMMAND.format(folder=os.path.dirname(__file__))  # noqa: PTH120  # as the path is given
    with subprocess.Popen(
        [sys.executable, "-c", code], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as ran:
        assert ran.stdout is not None
        assert ran.stderr is not None
        assert ran.stdout.readline() == "begun\n"
        time.sleep(0.5)
        ran.send_signal(signal.SIGINT)
        assert ran.wait(timeout=60) == 130
        assert ran.stderr.read().strip() == "stopped before it was done"
        assert not ran.stdout.read()
