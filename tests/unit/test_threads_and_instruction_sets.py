"""The same input gives the same bits, however many threads and whatever vector instructions."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from typing import Any

import pytest

from crossmargin import _core

# 300 options of four accounts, each at a venue of its own; a third is priced from marks, so that
# the volatility is solved for. Answers are printed with all their digits.
SCRIPT = """
import json, random
from crossmargin import _core
from crossmargin import functions as cm

draw = random.Random(11)
venues = {"a": "deribit-spm", "b": "paradex-pm", "c": "derive-pm2", "d": "span-16"}
index = {"BTC": 97_000.0, "ETH": 2_900.0}
rows = []
for place in range(300):
    account = "abcd"[place % 4]
    coin = draw.choice(["BTC", "ETH"])
    days = draw.choice([0.4, 1.0, 3.0, 12.0, 29.0, 30.0, 31.0, 95.0, 250.0])
    forward = index[coin] * (1.0 + 0.0002 * days)
    strike = round(forward * draw.uniform(0.8, 1.25), 1)
    right = draw.choice(["call", "put"])
    is_coin = account == "a" and draw.random() < 0.5
    by_mark = place % 3 == 0
    inside = max(0.0, forward - strike if right == "call" else strike - forward)
    mark = (inside + draw.uniform(0.02, 0.04) * forward) / (forward if is_coin else 1.0)
    rows.append({
        "account": account, "symbol": f"OPTION{place:03d}", "type": "option", "underlying": coin,
        "settle": coin if is_coin else "USDC", "strike": strike, "optionType": right,
        "secondsToExpiry": days * 86_400.0, "quantity": draw.choice([-1, 1]) * draw.uniform(1, 90),
        "impliedVolatilityFraction": None if by_mark else draw.uniform(0.2, 2.5),
        "forward": forward, "markPrice": mark if by_mark else None, "unrealizedPnl": 0.0,
    })
for account in "abcd":
    for coin in index:
        rows.append(dict.fromkeys(rows[0]) | {
            "account": account, "symbol": f"{coin}-{account}", "type": "perpetual",
            "underlying": coin, "settle": "USDC", "quantity": draw.uniform(-200, 200),
            "markPrice": index[coin] * 1.0003, "unrealizedPnl": 1.0,
        })
market = [{"underlying": coin, "indexPrice": price} for coin, price in index.items()]
market.append({"underlying": "USDC", "indexPrice": 1.0})
answers, keys = {}, []
for currency, pair in {"USD": "ad", "USDC": "bc"}.items():  # a total is in one currency
    book = cm.book(
        [row for row in rows if row["account"] in pair],
        [[account, venues[account]] for account in pair],
        collateral=[{"account": account, "currency": "USDC", "cash": 1e6} for account in pair],
        market=market,
    )
    keys.append(book.key)
    totals = (cm.initial_margin, cm.maintenance_margin, cm.equity, cm.excess)
    tables = {"margins": [[total(book, scope=account) for total in totals] for account in pair]}
    for level in ("IM", "MM"):
        for group in ("component", "riskUnit", "position"):
            table = cm.explanation(book, measure=level, group_by=group)
            tables[f"explanation {level} {group}"] = table.rows
    for layout in ("list", "positions"):
        tables[layout] = cm.scenarios(book, risk_unit="all", layout=layout).rows
    for group in ("underlying", "expiry", "strike", "account", "symbol"):
        for unit in ("usd", "coin"):
            table = cm.exposure(book, group_by=group, unit=unit)
            tables[f"exposure {group} {unit}"] = table.rows
    answers |= {f"{currency} {name}": table for name, table in tables.items()}
print(json.dumps({"level": _core.simd_level(), "keys": keys, "answers": answers}))
"""

THREADS = ("1", "2", "8")
WITHIN = 1e-14  # of the largest figure of a table


def _run(level: str, threads: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=os.environ | {"CROSSMARGIN_SIMD": level, "RAYON_NUM_THREADS": threads},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def printed() -> dict[tuple[str, str], str]:
    """Return what the script prints at every level with every number of threads."""
    found: dict[tuple[str, str], str] = {}
    for level in _core.simd_levels():
        for threads in THREADS:
            ran = _run(level, threads)
            assert ran.returncode == 0, ran.stderr
            found[level, threads] = ran.stdout
    return found


def _answers(text: str) -> dict[str, list[list[Any]]]:
    loaded: dict[str, list[list[Any]]] = json.loads(text)["answers"]
    return loaded


def test_the_book_is_large_and_every_figure_a_number(printed: dict[tuple[str, str], str]) -> None:
    for (level, _), text in printed.items():
        assert json.loads(text)["level"] == level
        answers = _answers(text)
        # two coins in two pools at Deribit, and a unit of each coin at the three other venues
        listed = [row for name, rows in answers.items() if name.endswith("list") for row in rows]
        assert len(listed) == 4 * 35 + 2 * 24 + 2 * 33 + 2 * 16
        held = [row for name, rows in answers.items() if name.endswith("positions") for row in rows]
        assert sum(row[2].startswith("OPTION") for row in held) == 300
        numbers = [
            cell for rows in answers.values() for row in rows for cell in row
            if isinstance(cell, float)
        ]  # fmt: skip
        assert len(numbers) > 10_000
        assert all(map(math.isfinite, numbers))


def test_the_number_of_threads_changes_no_bit(printed: dict[tuple[str, str], str]) -> None:
    for level in _core.simd_levels():
        assert len({printed[level, threads] for threads in THREADS}) == 1


def test_all_levels_with_fused_multiply_add_give_the_same_bits(
    printed: dict[tuple[str, str], str],
) -> None:
    answers = [_answers(printed[level, "2"]) for level in _core.simd_levels()[1:]]
    assert all(answer == answers[0] for answer in answers)


def test_the_portable_level_agrees_to_the_last_digits(printed: dict[tuple[str, str], str]) -> None:
    levels = _core.simd_levels()
    portable, fastest = (_answers(printed[level, "1"]) for level in (levels[0], levels[-1]))
    assert list(portable) == list(fastest)
    for name, rows in portable.items():
        others = fastest[name]
        assert len(rows) == len(others)
        columns = list(zip(*rows, strict=True))
        for place, column in enumerate(columns):
            scale = max((abs(cell) for cell in column if isinstance(cell, float)), default=0.0)
            for cell, row in zip(column, others, strict=True):
                other = row[place]
                if isinstance(cell, float) and isinstance(other, float):
                    assert abs(cell - other) <= WITHIN * scale, (name, place, cell, other)
                elif isinstance(cell, float) or isinstance(other, float):
                    assert not cell
                    assert not other


@pytest.mark.parametrize("word", ["sse9", "avx-512", "fast", "0"])
def test_an_unknown_level_is_refused_with_the_known_ones(word: str) -> None:
    ran = _run(word, "1")
    assert ran.returncode != 0
    assert f"unknown instruction set '{word}'; known: portable, avx2, neon, avx512" in ran.stderr
    assert "panicked" not in ran.stderr
