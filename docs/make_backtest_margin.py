"""Makes the table and the chart of `backtest-margin.md` from the histories in the shared folder.

Run it as ``python docs/make_backtest_margin.py`` after `make extension`. It writes
`backtest-margin.csv`, `backtest-margin.png` and the table in the page. The histories themselves
are not in the repository: they lie in `../shared`, or where CROSSMARGIN_SHARED says.
"""

from __future__ import annotations

import csv
import os
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

import crossmargin

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from matplotlib.axes import Axes

    from crossmargin._core import History

DOCS: Final = Path(__file__).resolve().parent
TABLE: Final = DOCS / "backtest-margin.csv"
CHART: Final = DOCS / "backtest-margin.png"
PAGE: Final = DOCS / "backtest-margin.md"
OPENING, CLOSING = "<!-- table -->\n", "<!-- end of table -->\n"

OLDER: Final = "prices_daily_yahoo_usd_pre2020_and_stablecoins.csv"
NEWER: Final = "prices_daily_binance_usdt.csv"
MONEY: Final = {
    "BTC": 400_000.0,
    "ETH": 250_000.0,
    "SOL": 100_000.0,
    "BNB": 100_000.0,
    "XRP": 100_000.0,
    "DOGE": 50_000.0,
}
"""Long, in USD: the book is worth one million."""

METHODS: Final = ("filtered", "historical")
FIRST, LAST = date(2020, 1, 1), date(2025, 12, 31)
CRISES: Final = (
    ("March 2020", date(2020, 3, 1), date(2020, 3, 31)),
    ("May 2021", date(2021, 5, 1), date(2021, 5, 31)),
    ("November 2022", date(2022, 11, 1), date(2022, 11, 30)),
    ("October 2025", date(2025, 10, 1), date(2025, 10, 31)),
)


@dataclass(frozen=True)
class Day:
    """One day of a series: money, losses positive."""

    date: date
    margin: float
    loss: float

    @property
    def exceeded(self) -> bool:
        """Whether the loss was larger than the margin known the day before."""
        return self.loss > self.margin


def shared_folder() -> Path:
    """Return the folder of the histories."""
    return Path(os.environ.get("CROSSMARGIN_SHARED", DOCS.parent.parent / "shared")) / "data"


def closes(shared: Path) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Return the rows of the older source and of the newer one: date, symbol, close.

    The sources share no day. A coin trades around the clock, so that the newer source's opening
    price of its first day is its close of the day before: with it they share that day.
    """
    older = [row for row in _rows(shared / OLDER) if row["symbol"] in MONEY]
    newer = [row for row in _rows(shared / NEWER) if row["symbol"] in MONEY]
    last = max(row["date"] for row in older)
    first = min(row["date"] for row in newer)
    begun = {row["symbol"] for row in older}
    opened = [
        {"date": last, "symbol": row["symbol"], "close": row["open"]}
        for row in newer
        if row["date"] == first and row["symbol"] in begun
    ]
    return _plain(older), opened + _plain(newer)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _plain(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{name: row[name] for name in ("date", "symbol", "close")} for row in rows]


def spliced(shared: Path) -> History:
    """Return the history of all coins: the older source before 2020, the newer one from then on."""
    return crossmargin.spliced_history(closes(shared))


def rulebook() -> list[tuple[str, str, object]]:
    """Return the rulebook es as its tail alone: no stress and no charges, a proxy for SOL."""
    changes: dict[str, object] = {
        "id": "es-tail-alone",
        "tail.stress.share": 0.0,
        "profiles.*.charges.cost of liquidation.rate": 0.0,
    }
    rows = crossmargin.rulebooks("es")
    header = list(rows.header)
    key, value = header.index("key"), header.index("value")
    made: list[tuple[str, str, object]] = [("part", "key", "value")]
    made.extend(
        (str(row[0]), str(row[key]), changes.get(str(row[key]), row[value])) for row in rows.rows
    )
    made.append(("shocks", "tail.history.proxy", "BTC"))
    return made


def six_coins(history: History) -> crossmargin.Book:
    """Return the book: long perpetuals in six coins, priced at 1 so that quantities are money."""
    positions: list[tuple[object, ...]] = [("symbol", "quantity", "markPrice", "entryPrice")]
    positions += [(coin, money, 1.0, 1.0) for coin, money in MONEY.items()]
    return crossmargin.book(positions, rulebook(), options={"history": history})


def series(book: crossmargin.Book, method: str) -> list[Day]:
    """Return the margin of every day as it was known the day before, and the loss of the day."""
    options = {"view": "series", "method": method, "first": str(FIRST), "last": str(LAST)}
    found = crossmargin.backtest(book, measure="margin", options=options)
    place = {name: found.header.index(name) for name in ("date", "margin", "loss")}
    return [
        Day(
            date.fromisoformat(str(row[place["date"]])),
            float(str(row[place["margin"]])),
            float(str(row[place["loss"]])),
        )
        for row in found.rows
    ]


def tests(book: crossmargin.Book, method: str) -> dict[str, tuple[object, ...]]:
    """Return the rows of the tests by their names."""
    options = {"method": method, "first": str(FIRST), "last": str(LAST)}
    found = crossmargin.backtest(book, measure="all", options=options)
    name = found.header.index("test")
    return {str(row[name]): tuple(row[name + 1 :]) for row in found.rows}


def results(book: crossmargin.Book) -> list[tuple[str, str, str]]:
    """Return the table of the page: what, filtered, plain."""
    columns = [_column(tests(book, method), series(book, method)) for method in METHODS]
    return [("", *METHODS), *((what, columns[0][what], columns[1][what]) for what in columns[0])]


def _column(rows: Mapping[str, tuple[object, ...]], days: list[Day]) -> dict[str, str]:
    def figure(test: str, column: int) -> float:
        return float(str(rows[test][column]))

    statistic, p_value, verdict, expected, observed = range(5)
    column = {
        "days": f"{figure('days', observed):.0f}",
        "margin on average, % of the book": f"{figure('average margin', observed) / 1e4:.2f}",
        "peak to trough: largest margin over smallest": (
            f"{figure('peak to trough', statistic):.2f}"
        ),
        "largest rise over 5 days": f"{100 * figure('largest 5-day rise', statistic):.0f} %",
        "largest rise over 20 days": f"{100 * figure('largest 20-day rise', statistic):.0f} %",
        "losses beyond the margin": f"{figure('margin coverage', observed):.0f}",
        "coverage": f"{100 * figure('margin coverage', statistic):.2f} %",
        "largest loss beyond the margin, % of the book": (
            f"{figure('size of exceedances', observed) / 1e4:.2f}"
        ),
    }
    for crisis, first, last in CRISES:
        hit = sum(day.exceeded for day in days if first <= day.date <= last)
        column[f"losses beyond the margin in {crisis}"] = str(hit)
    column |= {
        "losses beyond the 99 % value at risk": f"{figure('VaR Kupiec', observed):.0f}",
        "expected of them": f"{figure('VaR Kupiec', expected):.1f}",
    }
    for test in (
        "VaR Kupiec, exact",
        "VaR Christoffersen independence",
        "VaR Christoffersen conditional coverage",
        "ES Acerbi-Szekely Z2",
        "ES Acerbi-Szekely Z1",
    ):
        column[f"{test}: p"] = f"{figure(test, p_value):.4f} {rows[test][verdict]}"
    column["Acerbi-Szekely Z2"] = f"{figure('ES Acerbi-Szekely Z2', statistic):.3f}"
    worst = "VaR Basel traffic light, worst 250 days"
    column["traffic light, worst 250 days"] = (
        f"{figure(worst, observed):.0f} {rows[worst][verdict]}"
    )
    return column


def draw(by_method: Mapping[str, list[Day]], path: Path) -> None:
    """Draw the margins over the losses of the days."""
    import matplotlib as mpl  # noqa: PLC0415  # the figures are checked without it

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    style = {
        "filtered": ("#0b5394", "filtered historical"),
        "historical": ("#c55a11", "plain historical"),
    }
    figure, axes = plt.subplots(
        2, 1, figsize=(11, 7.2), sharex=True, height_ratios=(3, 1), layout="constrained"
    )
    upper, lower = axes
    worth = sum(MONEY.values())
    days = by_method["filtered"]
    dates = [day.date for day in days]
    upper.vlines(
        dates,
        0,
        [100 * max(day.loss, 0) / worth for day in days],
        color="#8c8c8c",
        linewidth=0.9,
        label="loss of the day",
    )
    for method, (colour, words) in style.items():
        own = by_method[method]
        margins = [100 * day.margin / worth for day in own]
        upper.plot(dates, margins, color=colour, linewidth=1.3, label=f"margin, {words}")
        hit = [day for day in own if day.exceeded]
        first = method == "filtered"
        upper.plot(
            [day.date for day in hit],
            [100 * day.loss / worth for day in hit],
            linestyle="none",
            marker="o" if first else "x",
            markersize=8 if first else 6,
            markerfacecolor="none",
            color=colour,
            label=f"beyond it, {words}: {len(hit)} days",
        )
    ratio = [
        one.margin / other.margin for one, other in zip(days, by_method["historical"], strict=True)
    ]
    lower.plot(dates, ratio, color="#444444", linewidth=1.1)
    lower.axhline(1.0, color="#999999", linewidth=0.8)
    lower.set_ylabel("filtered / plain")
    _shade(upper, lower)
    upper.set_ylabel("% of the value of the book")
    upper.set_ylim(bottom=0)
    title = "Margin by 99 % expected shortfall over one day, and the loss that followed"
    upper.set_title(title, loc="left", pad=44)
    upper.legend(loc="lower left", bbox_to_anchor=(0, 1), fontsize=9, frameon=False, ncols=3)
    lower.set_xlim(FIRST, LAST)
    for own in axes:
        own.spines[["top", "right"]].set_visible(False)
        own.grid(axis="y", color="#e6e6e6", linewidth=0.8)
        own.set_axisbelow(True)
    figure.savefig(path, dpi=130, metadata={"Software": None})
    plt.close(figure)


def _shade(upper: Axes, lower: Axes) -> None:
    from matplotlib.dates import date2num  # noqa: PLC0415

    top = upper.get_ylim()[1] * 1.1
    upper.set_ylim(top=top)
    for crisis, first, last in CRISES:
        begin, end = (float(date2num(day)) for day in (first, last))  # type: ignore[no-untyped-call]
        for own in (upper, lower):
            own.axvspan(begin, end, color="#f4c7c3", alpha=0.6, linewidth=0)
        late = crisis == CRISES[-1][0]
        upper.text(
            end if late else begin,
            top * 0.985,
            crisis + " " if late else " " + crisis,
            ha="right" if late else "left",
            va="top",
            fontsize=9,
        )


def written(table: list[tuple[str, str, str]]) -> str:
    """Return the table as the page shows it."""
    lines = [f"| {what or ' '} | {one} | {other} |" for what, one, other in table]
    return "\n".join([lines[0], "|---|---:|---:|", *lines[1:]]) + "\n"


def main() -> int:
    """Write table, chart and page."""
    book = six_coins(spliced(shared_folder()))
    table = results(book)
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(table)
    draw({method: series(book, method) for method in METHODS}, CHART)
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(OPENING)
    _, _, after = rest.partition(CLOSING)
    PAGE.write_text(before + OPENING + written(table) + CLOSING + after, encoding="utf-8")
    print(written(table))
    return 0


if __name__ == "__main__":
    sys.exit(main())
