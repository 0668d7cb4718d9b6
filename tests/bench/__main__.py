"""Times crossmargin beside NumPy doing the same, both in one interleaved run.

`python -m tests.bench [--rows N]` prints a markdown table: minimum and median of each, their ratio,
and the peak memory of the process. The answers are compared before anything is timed.
"""

from __future__ import annotations

import platform
import resource
import statistics
import time
from typing import TYPE_CHECKING, Any

import click
import numpy as np

import crossmargin
from tests.bench.rounds import interleaved

if TYPE_CHECKING:
    import numpy.typing as npt

    Column = npt.NDArray[np.float64]

FLOORS = np.array([0.0, 50e3, 250e3, 1e6])
RATES = np.array([0.004, 0.005, 0.01, 0.025])
ROUNDS = 15


def _amounts() -> Column:
    return np.concatenate([[0.0], np.cumsum(np.diff(RATES) * FLOORS[1:])])


def _accounts(count: int) -> tuple[Column, Column, Column]:
    """Return quantities, entries and collateral of one-position accounts."""
    random = np.random.default_rng(7)
    side = np.where(random.random(count) < 0.6, 1.0, -1.0)
    quantity = side * np.round(random.lognormal(0, 2, count) + 0.001, 3)
    entry = 60_000.0 * (1 + 0.02 * random.standard_normal(count))
    collateral = np.abs(quantity) * entry / random.uniform(2, 50, count)
    return quantity, entry, collateral


def _prices_numpy(quantity: Column, entry: Column, collateral: Column) -> Column:
    """Solve each bracket for all accounts and keep the root that lies in its own bracket."""
    size = np.abs(quantity)
    cost = quantity * entry - collateral
    prices = np.full(len(quantity), np.nan)
    for floor, cap, rate, amount in zip(
        FLOORS, [*FLOORS[1:], np.inf], RATES, _amounts(), strict=True
    ):
        price = (cost - amount) / (quantity - rate * size)
        notional = size * price
        prices = np.where((price > 0) & (notional >= floor) & (notional < cap), price, prices)
    return prices


def _book_columns(count: int) -> dict[str, Any]:
    random = np.random.default_rng(11)
    mark = np.round(np.exp(random.uniform(-2, 11, count)), 6)
    quantity = (random.random(count) - 0.5) * 1e6 / mark
    return {
        "coin": [f"C{number:06d}" for number in range(count)],
        "szi": quantity,
        "entry_price": mark * random.uniform(0.9, 1.1, count),
        "mark_price": mark,
        "leverage": np.full(count, 10.0),
    }


def _book_numpy(columns: dict[str, Any], cash: float) -> tuple[float, float, float, Column]:
    """Return maintenance, equity, excess and every coin's liquidation price, by plain NumPy."""
    quantity, mark = columns["szi"], columns["mark_price"]
    pnl = quantity * (mark - columns["entry_price"])
    maintenance = np.abs(quantity) * mark * 0.05  # assumed: half of 1 / leverage
    equity = cash + pnl.sum()
    excess = equity - maintenance.sum()
    price = mark - excess / (quantity - 0.05 * np.abs(quantity))
    return maintenance.sum(), equity, excess, np.where(price > 0, price, np.nan)


def _report(title: str, samples: dict[str, list[float]], ours: str) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\n{title} (peak memory of the process so far {peak:.0f} MiB)\n")
    print("| what | min ms | median ms | times ours |")
    print("|---|---|---|---|")
    base = min(samples[ours])
    for name, values in samples.items():
        low, middle = min(values) * 1e3, statistics.median(values) * 1e3
        print(f"| {name} | {low:.3f} | {middle:.3f} | {min(values) / base:.2f} |")


def _linear(count: int) -> None:
    quantity, entry, collateral = _accounts(count)

    def ours() -> Column:
        return crossmargin.linear_liquidation_prices(
            quantity, entry, collateral, floors=FLOORS.tolist(), rates=RATES.tolist()
        )

    np.testing.assert_allclose(
        ours(), _prices_numpy(quantity, entry, collateral), rtol=1e-11, equal_nan=True
    )
    samples = interleaved(
        {"crossmargin": ours, "NumPy": lambda: _prices_numpy(quantity, entry, collateral)}, ROUNDS
    )
    _report(f"{count:,} linear liquidation prices, 4 brackets", samples, "crossmargin")


def _ten_thousand(count: int) -> None:
    columns = _book_columns(count)
    cash = 1e5 * count
    collateral = {"currency": ["USDC"], "cash": [cash]}

    def made() -> Any:
        return crossmargin.book(columns, "hyperliquid", collateral=collateral)

    def with_summary() -> Any:
        book = made()
        return book, crossmargin.equity(book), crossmargin.maintenance_margin(book)

    book, equity, maintenance = with_summary()
    expected = _book_numpy(columns, cash)
    np.testing.assert_allclose([maintenance, equity], expected[:2], rtol=1e-12)
    table = crossmargin.liquidation_price(book)
    assert isinstance(table, crossmargin.Table)
    order = np.argsort(columns["coin"])
    found = np.array(
        [
            down if quantity > 0 else up
            for down, up, quantity in zip(
                table.column("down"), table.column("up"), columns["szi"][order], strict=True
            )
        ],
        dtype=float,
    )
    np.testing.assert_allclose(found, expected[3][order], rtol=1e-9, equal_nan=True)
    samples = interleaved(
        {
            "crossmargin: table -> book -> equity and margins": with_summary,
            "crossmargin: + summary with trigger and first": lambda: crossmargin.summary(made()),
            "crossmargin: every coin's liquidation price, both sides, table": (
                lambda: crossmargin.liquidation_price(book)
            ),
            "NumPy: margins and prices of columns already clean": (
                lambda: _book_numpy(columns, cash)
            ),
        },
        ROUNDS,
    )
    _report(f"{count:,} positions in one cross account", samples, next(iter(samples)))


def _million(count: int) -> None:
    columns = _book_columns(1_000)
    random = np.random.default_rng(3)
    accounts, coins = 50_000, random.integers(0, 1_000, count)
    owner = random.integers(0, accounts, count)
    side = np.where((owner + coins) % 2 == 0, 1.0, -1.0)  # one sign per account and coin
    table = {
        "account": [f"a{number:05d}" for number in owner],
        "coin": [columns["coin"][coin] for coin in coins],
        "szi": side * np.abs(columns["szi"][coins]),
        "entry_price": columns["entry_price"][coins],
        "mark_price": columns["mark_price"][coins],
        "leverage": np.full(count, 10.0),
    }
    collateral = {
        "account": [f"a{number:05d}" for number in range(accounts)],
        "currency": ["USDC"] * accounts,
        "cash": np.full(accounts, 5e6),
    }
    start = time.perf_counter()
    book = crossmargin.book(table, "hyperliquid", collateral=collateral)
    built = time.perf_counter()
    maintenance = crossmargin.maintenance_margin(book)
    assert maintenance is not None
    np.testing.assert_allclose(
        maintenance, (np.abs(table["szi"]) * table["mark_price"]).sum() * 0.05, rtol=1e-9
    )
    margined = time.perf_counter()
    rows = len(crossmargin.summary(book))
    summed = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\n{count:,} rows, {accounts:,} accounts: book {built - start:.2f} s,", end=" ")
    print(f"margins {margined - built:.2f} s,", end=" ")
    print(f"summary of {rows:,} rows with triggers {summed - margined:.2f} s,", end=" ")
    print(f"peak memory {peak:.0f} MiB")


@click.command()
@click.option("--rows", default=1_000_000, help="Rows of the largest jobs.")
def main(rows: int) -> None:
    """Run all benchmarks and print markdown."""
    print(f"{platform.machine()}, {platform.python_version()}, {crossmargin.version()}, ", end="")
    print(f"NumPy {np.__version__}; interleaved, {ROUNDS} rounds")
    _ten_thousand(10_000)
    _linear(rows)
    _million(rows)


if __name__ == "__main__":
    main()
