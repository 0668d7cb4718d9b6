"""Writes the sample history: daily prices that no market ever had.

Run it as ``python workbook/make_history.py``. Every coin follows a market factor whose volatility
comes in clusters, with a residual of its own; two bad weeks are put in. The same seed gives the
same file, which ends at the marks of the sample book.
"""

from __future__ import annotations

import csv
import math
import random
from datetime import date, timedelta
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "python" / "crossmargin" / "samples"
LAST_DAY = date(2026, 1, 12)
BARS = 640
SEED = 20260112
PERSISTENCE, REACTION = 0.93, 0.05
LEAST_DEGREES = 4
BAD_DAYS = {180: -0.11, 181: -0.06, 183: 0.07, 480: -0.16, 481: 0.05, 482: -0.04}
SHARE_OF_MARKET = 0.8  # of a coin's variance
STABLE, NOISE = "USDC", 0.0004
BROKEN_PEG = {482: 0.962, 483: 0.988, 484: 0.997}


def coins() -> dict[str, tuple[float, float]]:
    """Return the last price and the daily volatility of every coin of the sample book."""
    with (FOLDER / "positions.csv").open(encoding="utf-8", newline="") as file:
        prices = {row["symbol"]: float(row["markPrice"]) for row in csv.DictReader(file)}
    with (FOLDER / "market.csv").open(encoding="utf-8", newline="") as file:
        volatilities = {row["underlying"]: float(row["dailyVol"])
                        for row in csv.DictReader(file) if row["dailyVol"]}  # fmt: skip
    return {coin: (price, volatilities[coin]) for coin, price in prices.items()}


def moves(draw: random.Random, volatilities: list[float]) -> list[list[float]]:
    """Return the logarithmic moves of every day, coin by coin."""
    size, days = 1.0, []
    for day in range(1, BARS):
        market = size * _student(draw)
        size = math.sqrt(1 - PERSISTENCE - REACTION + PERSISTENCE * size**2 + REACTION * market**2)
        row = [
            volatility
            * (
                math.sqrt(SHARE_OF_MARKET) * market
                + math.sqrt(1 - SHARE_OF_MARKET) * _student(draw)
            )
            for volatility in volatilities
        ]
        shock = BAD_DAYS.get(day, 0.0)
        days.append([own + shock * volatility / volatilities[0] for own, volatility in
                     zip(row, volatilities, strict=True)])  # fmt: skip
    return days


def _student(draw: random.Random) -> float:
    """Return a draw of Student's law with few degrees of freedom, of variance 1."""
    squares = sum(draw.gauss(0, 1) ** 2 for _ in range(LEAST_DEGREES))
    return draw.gauss(0, 1) * math.sqrt((LEAST_DEGREES - 2) / squares)


def main() -> None:
    """Write the file."""
    known = coins()
    days = moves(random.Random(SEED), [volatility for _, volatility in known.values()])  # noqa: S311  # a sample, not a secret
    levels = [[price for price, _ in known.values()]]
    for row in reversed(days):
        levels.append([level / math.exp(move) for level, move in zip(levels[-1], row, strict=True)])
    levels.reverse()
    target = FOLDER / "history.csv"
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["date", *known, STABLE])
        draw = random.Random(SEED + 1)  # noqa: S311  # a sample, not a secret
        for number, row in enumerate(levels):
            day = LAST_DAY - timedelta(days=BARS - 1 - number)
            peg = BROKEN_PEG.get(number, 1 + draw.gauss(0, NOISE))
            writer.writerow([day.isoformat(), *(f"{level:.6g}" for level in (*row, peg))])
    print(target)


if __name__ == "__main__":
    main()
