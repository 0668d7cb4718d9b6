"""Histories: read from anything, joined, checked cell by cell, and taken by books."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import crossmargin
from crossmargin import books, cli, registry
from crossmargin.cells import CellContent, SheetError
from crossmargin.errors import OutOfRangeError, TableError, UnknownWordError
from tests.oracle.sheets import Rows, table

if TYPE_CHECKING:
    from pathlib import Path

DAYS = [dt.date(2024, 1, 1) + dt.timedelta(days=k) for k in range(700)]
POSITIONS = table(
    "symbol contracts entryPrice markPrice", ["BTC", 1, 100, 100], ["ETH", -5, 10, 10]
)
CASH = table("currency cash", ["USD", 1000])


def _prices(count: int = 700) -> Rows:
    random = np.random.default_rng(7)
    moves = random.standard_t(4, (count, 2)) * [0.02, 0.03]
    levels = np.array([100.0, 10.0]) * np.exp(np.cumsum(moves, axis=0))
    return [
        ["date", "BTC", "ETH"],
        *([day.isoformat(), *map(float, row)] for day, row in zip(DAYS, levels, strict=False)),
    ]


PRICES = _prices()


def _issues(target: object, **others: Any) -> list[str]:
    return [str(row["code"]) for row in crossmargin.check(target, **others)]


# What a history may be ---------------------------------------------------------------------------


def test_every_kind_of_table_gives_the_same_history(tmp_path: Path) -> None:
    columns = {name: [row[k] for row in PRICES[1:]] for k, name in enumerate(PRICES[0])}
    frame = pl.DataFrame(columns)
    csv, parquet = tmp_path / "prices.csv", tmp_path / "prices.parquet"
    frame.write_csv(csv)
    dated = frame.with_columns(pl.col("date").str.to_date())
    dated.write_parquet(parquet)
    long = frame.unpivot(index="date", variable_name="symbol", value_name="close")
    given: list[object] = [
        PRICES, columns, frame, dated, pd.DataFrame(columns), pa.table(columns), csv, str(csv),
        parquet, long, long.sort("date", "symbol"), frame.lazy().collect(),
        pd.DataFrame(columns).assign(date=pd.to_datetime(columns["date"])),
        pd.DataFrame(columns).assign(at=pd.to_datetime(columns["date"])).set_index("at")[
            ["BTC", "ETH"]
        ],
        # day numbers of a spreadsheet: 45292 is 2024-01-01
        [PRICES[0], *([45_292.0 + k, *row[1:]] for k, row in enumerate(PRICES[1:]))],
        [PRICES[0], *([f"{row[0]}T00:00:00Z", *row[1:]] for row in PRICES[1:])],
    ]  # fmt: skip
    keys = {crossmargin.history(one).key for one in given}
    assert len(keys) == 1
    key = keys.pop()
    assert key.startswith("history:")
    assert "|2 series|700 bars of 1 d|2024-01-01 to 2025-11-30" in key


def test_a_list_of_tables_is_joined_by_date() -> None:
    early, late = PRICES[:400], [PRICES[0], *PRICES[400:]]
    frames = [pl.DataFrame(p[1:], schema=PRICES[0], orient="row") for p in (early, late)]
    joined = crossmargin.history(frames)
    assert joined.hash == crossmargin.history(PRICES).hash
    assert _issues(joined) == ["spliced", "spliced"]


def test_two_levels_of_one_date_are_refused_unless_the_first_is_to_count() -> None:
    other = [list(row) for row in PRICES]
    other[5][1] *= 1.02
    one, two = crossmargin.history(PRICES), crossmargin.history(other)
    with pytest.raises(TableError, match=r"BTC on 2024-01-05 is .* in history 2: .*clash=first"):
        crossmargin.history([one, two])
    kept = crossmargin.history([one, two], options={"clash": "first"})
    assert kept.hash == one.hash
    clash = next(row for row in crossmargin.check(kept) if row["code"] == "clash")
    assert "on 1 dates, first on 2024-01-05, by 2.000 % at most" in str(clash["message"])
    with pytest.raises(UnknownWordError, match="unknown clash 'last'; known: refuse, first"):
        crossmargin.history([one, two], options={"clash": "last"})


def test_bars_of_hours_become_days_by_their_last_level() -> None:
    hours: Rows = [["time", "BTC"]]
    hours += [[f"2024-01-{1 + k // 4:02d}T{6 * (k % 4):02d}:00:00Z", 100.0 + k] for k in range(40)]
    days = crossmargin.history(hours, options={"step": "1"})
    expected = [["date", "BTC"], *([f"2024-01-{k:02d}", 99.0 + 4 * k] for k in range(1, 11))]
    assert days.hash == crossmargin.history(expected).hash
    with pytest.raises(OutOfRangeError, match="step must be at least the days between the bars"):
        crossmargin.history(hours, options={"step": "0.1"})
    with pytest.raises(OutOfRangeError, match="step must be a number of days, was 'day'"):
        crossmargin.history(hours, options={"step": "day"})
    with pytest.raises(TableError, match=r"bars of 1 d and of 0\.25 d cannot be joined.*step=1"):
        crossmargin.history([days, crossmargin.history(hours)])


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"coins": "BTC"}, "unknown option 'coins'; known: coin, step, partial, join, clash"),
        ({"coin": "?"}, "unknown coin"),
    ],
)
def test_options_that_mean_nothing_are_refused(options: dict[str, str], sentence: str) -> None:
    with pytest.raises(UnknownWordError, match=sentence):
        crossmargin.history(PRICES, options=options)


# What is noticed ---------------------------------------------------------------------------------


def _changed(*changes: tuple[int, int, object]) -> Rows:
    rows = [list(row) for row in PRICES[:60]]
    for row, column, value in changes:
        rows[row][column] = value
    return rows


@pytest.mark.parametrize(
    ("rows", "codes"),
    [
        (_changed(), [""]),
        ([*PRICES[:20], *PRICES[25:40]], ["gap"]),
        (_changed((9, 1, 100.0), (10, 1, 100.0), (11, 1, 100.0)), ["stale"]),
        (_changed(*((k, 2, None) for k in range(1, 20))), ["new_listing"]),
        (_changed(*((k, 2, "") for k in range(50, 60))), ["series_ends"]),
        (_changed((30, 1, None)), ["bars_missing"]),
        (_changed((30, 1, PRICES[30][1] * 10)), ["jump"]),
        ([PRICES[0], *PRICES[40:0:-1]], ["unsorted"]),
        ([*PRICES[:40], *PRICES[30:40]], ["unsorted", "twice", "twice"]),
        ([*PRICES[:40], ["2024-02-08T02:00:00Z", 100.0, 10.0]], ["mixed_steps"]),
        ([[*row, "x" if k else "remark"] for k, row in enumerate(PRICES[:9])], ["ignored"]),
    ],
    ids=lambda value: (
        "-".join(value) if isinstance(value, list) and isinstance(value[0], str) else ""
    ),
)
def test_what_is_doubtful_is_reported_by_key_and_by_range(rows: Rows, codes: list[str]) -> None:
    by_key = [
        code for code in _issues(crossmargin.history(rows)) if code != "jump" or "jump" in codes
    ]
    by_range = [code for code in _issues(CellContent(rows), sheet="history") if code in by_key]
    assert sorted(by_key) == sorted(codes)
    assert sorted(by_range) == sorted(codes)
    assert sorted(_issues(CellContent(rows))) == sorted(_issues(CellContent(rows), sheet="history"))


@pytest.mark.parametrize(
    ("change", "code", "sentence"),
    [
        ((4, 1, 0.0), "price_not_positive", "needs a finite number above zero, was '0'"),
        ((4, 1, -5.0), "price_not_positive", "needs a finite number above zero, was '-5'"),
        ((4, 1, float("nan")), "price_not_positive", "needs a finite number above zero, was 'NaN'"),
        ((4, 1, "n/a"), "not_a_number", "needs a number, was 'n/a'"),
        ((4, 1, "#N/A"), "not_a_number", "needs a number, was '#N/A'"),
        ((4, 0, "03/04/26"), "not_a_date", "needs a date that can mean one day only"),
        ((4, 0, "soon"), "not_a_date", "was 'soon'"),
        ((4, 0, None), "not_a_date", "needs a date that can mean one day only"),
    ],
)
def test_a_cell_that_cannot_be_used_refuses_the_history_and_stands_in_the_check(
    change: tuple[int, int, object], code: str, sentence: str
) -> None:
    rows = _changed(change, (7, 2, -1.0))
    with pytest.raises(TableError) as refusal:
        crossmargin.history(rows)
    assert str(refusal.value).startswith("History: row 5, ")
    assert sentence in str(refusal.value)
    assert "CM_CHECK lists 1 more" in str(refusal.value)
    errors = [row for row in crossmargin.check(CellContent(rows)) if row["severity"] == "ERROR"]
    assert [(row["row"], row["code"]) for row in errors] == [
        (5.0, code),
        (8.0, "price_not_positive"),
    ]
    partial = crossmargin.history(rows, options={"partial": "1"})
    assert [code for code in _issues(partial) if code in {code, "price_not_positive"}]


def test_bars_without_volume_have_no_price() -> None:
    rows: Rows = [["date", "symbol", "close", "volume"]]
    rows += [[day.isoformat(), "BTC", 100.0 + k, float(k != 5)] for k, day in enumerate(DAYS[:9])]
    history = crossmargin.history(rows)
    assert _issues(history) == ["bars_missing", "no_volume"]
    series = crossmargin.check(history, view="columns").records()
    assert (series[0]["bars"], series[0]["missing"]) == (8, 1)


def test_stable_currencies_and_lower_case_coins_have_columns_too() -> None:
    header = ["date", "USDC", "usdt_price", "btc", "ETHUSDT", "sol usd", "OI", "volume_note"]
    rows: Rows = [header]
    rows += [
        [day.isoformat(), *(1.0 + k % 3 for _ in header[1:])] for k, day in enumerate(DAYS[:9])
    ]
    history = crossmargin.history(rows)
    coins = crossmargin.check(history, view="columns").column("coin")
    assert coins == ["USDC", "USDT", "BTC", "ETH", "SOL"]
    unused = [row["column"] for row in crossmargin.check(history) if row["code"] == "ignored"]
    assert unused == ["OI", "volume_note"]


# In a sheet --------------------------------------------------------------------------------------


def test_a_book_takes_a_history_by_text_and_by_range() -> None:
    key = registry.call("CM_HISTORY", [PRICES])
    assert isinstance(key, str)
    options: list[object] = [
        key, [[key]], f"history={key}", [["history", key]], f"partial=0; history={key}",
        f"{key}; partial=0",
    ]  # fmt: skip
    margins = set()
    for given in options:
        book = registry.call("CM_BOOK", [POSITIONS, "es", CASH, None, None, None, given])
        assert isinstance(book, str)
        margin = registry.call("CM_MM", [book])
        assert isinstance(margin, float)
        margins.add(margin)
    assert len(margins) == 1
    assert margins.pop() > 0
    in_python = crossmargin.book(POSITIONS, "es", collateral=CASH, options={"history": PRICES})
    assert crossmargin.maintenance_margin(in_python) == margin


def test_histories_are_joined_in_a_sheet_by_their_keys() -> None:
    old = registry.call("CM_HISTORY", [PRICES[:300]])
    key = registry.call("CM_HISTORY", [[PRICES[0], *PRICES[300:]], f"join={old}"])
    assert key == registry.call("CM_HISTORY", [PRICES])
    again = registry.call("CM_HISTORY", [[[key]]])
    assert again == key


def test_the_key_of_a_history_is_checked_like_a_book() -> None:
    key = registry.call("CM_HISTORY", [_changed((30, 1, None))])
    rows = registry.call("CM_CHECK", [CellContent(key)])
    assert isinstance(rows, list)
    assert [row[5] for row in rows[1:]] == ["bars_missing"]
    columns = registry.call("CM_CHECK", [CellContent(key), "columns"])
    assert isinstance(columns, list)
    assert [row[0] for row in columns] == ["series", "BTC", "ETH"]


def test_a_history_that_is_not_in_memory_says_what_to_do() -> None:
    key = registry.call("CM_HISTORY", [PRICES])
    books.clear()
    for cells in (
        ["CM_CHECK", CellContent(key)],
        ["CM_CORREL", CellContent(key)],
        ["CM_BOOK", POSITIONS, "es", CASH, None, None, None, f"history={key}"],
    ):
        error = registry.call(str(cells[0]), cells[1:])
        assert isinstance(error, SheetError)
        assert error.sign == "#N/A"
        assert error.reason.startswith("this history key is not in memory: recalculate")


def test_a_word_that_is_no_history_is_refused() -> None:
    error = registry.call("CM_BOOK", [POSITIONS, "es", CASH, None, None, None, "history=prices"])
    assert isinstance(error, SheetError)
    assert error.sign == "#VALUE!"
    assert "a history is a table, the key that CM_HISTORY returns" in error.reason


# On the command line -----------------------------------------------------------------------------


def _files(folder: Path) -> list[str]:
    for name, rows in (("positions", POSITIONS), ("collateral", CASH), ("old", PRICES[:300]),
                       ("new", [PRICES[0], *PRICES[250:]])):  # fmt: skip
        text = "\n".join(",".join(map(str, row)) for row in rows)
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return [
        "--positions", f"{folder}/positions.csv", "--collateral", f"{folder}/collateral.csv",
        "--rulebook", "es", "--history", f"{folder}/old.csv", "--history", f"{folder}/new.csv",
    ]  # fmt: skip


def test_the_command_line_joins_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = _files(tmp_path)
    assert cli.main(["maintenance-margin", *words, "--json"]) == 0
    book = crossmargin.book(POSITIONS, "es", collateral=CASH, options={"history": PRICES})
    said = capsys.readouterr().out
    assert pl.read_json(said.encode()).item() == crossmargin.maintenance_margin(book)
    assert cli.main(["history", *words[6:], "--json"]) == 0
    assert crossmargin.history(PRICES).hash in capsys.readouterr().out
    assert cli.main(["check", *words[6:], "--json"]) == 0
    capsys.readouterr()
    assert cli.main(["correlations", *words[6:], "--view", "change", "--json"]) == 0
    assert '"coin_1": "BTC"' in capsys.readouterr().out
    assert cli.main(["correlations", *words, "--view", "beta", "--json"]) == 0
    assert '"BOOK"' in capsys.readouterr().out


def test_the_command_line_refuses_a_clash(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = _files(tmp_path)
    text = (tmp_path / "new.csv").read_text(encoding="utf-8").replace(str(PRICES[260][1]), "77.0")
    (tmp_path / "new.csv").write_text(text, encoding="utf-8")
    assert cli.main(["maintenance-margin", *words]) == 2
    assert "clash=first" in " ".join(capsys.readouterr().err.split())
    assert cli.main(["maintenance-margin", *words, "--option", "history.clash=first"]) == 0
    assert cli.main(["correlations"]) == 2


# Real files --------------------------------------------------------------------------------------

REAL = [
    ("prices_daily_binance_usdt.csv", {}, "date", 6),
    ("prices_daily_coinbase_usd.csv", {}, "date", 2),
    ("prices_daily_yahoo_usd_pre2020_and_stablecoins.csv", {}, "date", 7),
    ("btc_daily_close_funding.csv", {"coin": "BTC"}, "date", 1),
    ("btc_hourly_usd.parquet", {"coin": "BTC"}, "open_time_utc", 1),
    ("btc_hourly_price_liquidations_oi_funding.csv", {"coin": "BTC"}, "open_time_utc", 1),
    ("dvol_btc_daily.csv", {"coin": "BTC"}, "date", 1),
    # price, and volatility and basis at four maturities, of two coins
    ("deribit_vol_constant_maturity_6h.csv", {}, "snapshot_utc", 18),
    ("deribit_term_structure_daily.csv", {}, "snapshot_utc", 2),
]


@pytest.mark.parametrize(("name", "options", "dates", "series"), REAL)
def test_histories_of_the_trade_are_read(
    shared: Path, name: str, options: dict[str, str], dates: str, series: int
) -> None:
    path = shared / "data" / name
    frame = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path)
    history = crossmargin.history(path, options=options)
    assert f"|{series} series|{frame[dates].n_unique()} bars of " in history.key
    rows = crossmargin.check(history, view="columns").records()
    by_symbol = next((word for word in ("symbol", "currency") if word in frame.columns), None)
    if by_symbol is not None:
        assert {row["coin"] for row in rows} == set(frame[by_symbol])


@pytest.mark.parametrize("name", [row[0] for row in REAL if row[1]])
def test_a_file_that_names_no_coin_says_how_to_name_one(shared: Path, name: str) -> None:
    with pytest.raises(TableError, match=r"name no coin: .*option coin=BTC"):
        crossmargin.history(shared / "data" / name)


def test_prices_of_days_and_volatilities_of_hours_are_joined_by_the_day(shared: Path) -> None:
    prices = crossmargin.history(shared / "data" / "prices_daily_binance_usdt.csv")
    path = shared / "data" / "deribit_vol_constant_maturity_6h.csv"
    with pytest.raises(
        TableError, match=r"cannot be joined: read the finer one with the option step"
    ):
        crossmargin.history([prices, crossmargin.history(path)])
    days = crossmargin.history(path, options={"step": "1"})
    # the last row of a day in the file is its level
    frame = pl.read_csv(path, infer_schema=False).filter(pl.col("currency") == "ETH")
    last = frame.sort("snapshot_utc").group_by(pl.col("snapshot_utc").str.head(10)).last()
    assert f"|{len(last)} bars of 1 d|" in days.key
    newest = last.sort("snapshot_utc")["atm_iv_30d"][-1]
    rows = crossmargin.check(days, view="columns").records()
    level = next(r["last_level"] for r in rows if r["series"] == "ETH volatility 30 d")
    assert level == pytest.approx(float(str(newest)), abs=0)


def test_years_before_2020_are_spliced_and_the_check_says_so(shared: Path) -> None:
    folder = shared / "data"
    parts = ["prices_daily_yahoo_usd_pre2020_and_stablecoins.csv", "prices_daily_binance_usdt.csv"]
    history = crossmargin.history([folder / name for name in parts])
    spliced = [str(r["column"]) for r in crossmargin.check(history) if r["code"] == "spliced"]
    assert spliced == ["BNB", "BTC", "DOGE", "ETH", "XRP"]
    young = [str(r["column"]) for r in crossmargin.check(history) if r["code"] == "new_listing"]
    assert young == ["USDC", "SOL"]


def test_what_is_no_history_is_refused_with_a_sentence(shared: Path) -> None:
    for name, sentence in (
        ("deribit_chain_20260110T091409Z.csv", "History: "),
        ("binance_usdm_leverage_brackets_20260305.csv", "a history needs a column of dates"),
        ("hyperliquid_asset_contexts_202605.csv", "a history needs a column of dates"),
    ):
        with pytest.raises(TableError, match=sentence):
            crossmargin.history(shared / "data" / name)
