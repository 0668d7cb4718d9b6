"""The command line: its words, its numbers, its refusals, and the demonstration."""

from __future__ import annotations

import csv
import json
import math
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
import pytest

import crossmargin
from crossmargin import _cli_commands, _cli_demo, _cli_show, cli, functions, registry
from crossmargin._cli_demo import sample_book, sample_files
from crossmargin.cells import CellContent
from crossmargin.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SAMPLE = sample_files()
TWO = sample_files("two_positions")
BOOK_ARGUMENTS = [word for name, path in SAMPLE.items() for word in (f"--{name}", str(path))]
BOOK_ARGUMENTS += ["--rulebook", "hyperliquid"]
TWO_ARGUMENTS = [word for name, path in TWO.items() for word in (f"--{name}", str(path))]
TWO_ARGUMENTS += ["--rulebook", "custom"]


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    def json(self) -> object:
        return json.loads(self.out)

    def records(self) -> list[dict[str, object]]:
        answer = json.loads(self.out)
        assert isinstance(answer, list)
        return answer


class Run:
    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, *arguments: str) -> Said:
        code = cli.main(arguments)
        out, err = self.capsys.readouterr()
        return Said(code, out, err)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return Run(capsys)


def write(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


def command_names() -> list[str]:
    """Return the words after `crossmargin` of every command, those within a group too."""
    names = []
    for name, command in cli.cli.commands.items():
        inner = command.commands if isinstance(command, click.Group) else {}
        names += [f"{name} {one}" for one in inner] or [name]
    return sorted(names)


# --- words ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", command_names())
def test_every_command_has_help(run: Run, name: str) -> None:
    said = run(*name.split(), "--help")
    assert said.code == 0
    assert said.out.startswith(f"Usage: crossmargin {name}")
    assert "--json" in said.out
    assert all(parameter.help for parameter in options_of(name))


def options_of(name: str) -> list[click.Option]:
    command: click.Command = cli.cli
    for word in name.split():
        assert isinstance(command, click.Group)
        command = command.commands[word]
    return [parameter for parameter in command.params if isinstance(parameter, click.Option)]


@pytest.mark.parametrize("record", registry.records(), ids=lambda record: record.sheet_name)
def test_every_sheet_function_is_a_command_in_its_own_words(record: registry.Record) -> None:
    name = record.function.__name__.replace("_", "-")
    command = cli.cli.commands[name]
    assert command.help is not None
    assert command.help.startswith(record.summary)
    helps = {option.name: option.help for option in options_of(name)}
    for argument in record.arguments:
        if argument.kind in {"text", "number"} and argument.name in helps:
            assert helps[argument.name] == argument.doc


@pytest.mark.parametrize("name", command_names())
def test_no_option_is_named_twice(name: str) -> None:
    words = [word for option in options_of(name) for word in option.opts]
    assert len(words) == len(set(words))


def test_the_program_alone_shows_its_commands(run: Run) -> None:
    said = run()
    assert said.code == 0
    assert "liquidation-price" in said.out


def test_the_functions_are_listed_and_explained(run: Run) -> None:
    names = [record["function"] for record in run("functions", "--json").records()]
    assert names == [record.sheet_name for record in registry.records()]
    for name in ("CM_MM", "mm", "maintenance-margin", "maintenance_margin"):
        arguments = run("functions", name, "--json").records()
        assert [argument["argument"] for argument in arguments] == ["book", "scope"]
    assert "unknown function 'CM_NO'" in run("functions", "CM_NO").err


# --- numbers ----------------------------------------------------------------------------------


def facade_tables() -> dict[str, Table]:
    book = sample_book(SAMPLE)
    prices = functions.liquidation_price(book)
    assert isinstance(prices, Table)
    return {
        "summary": functions.summary(book),
        "liquidation-price": prices,
        "liquidation-order": functions.liquidation_order(book),
        "tiers": functions.tiers(book),
        "collateral": functions.collateral(book),
        "check": functions.check(CellContent(book)),
    }


@pytest.mark.parametrize("name", sorted(facade_tables()))
def test_json_records_have_the_headers_and_every_digit(run: Run, name: str) -> None:
    expected = facade_tables()[name]
    said = run(name, *BOOK_ARGUMENTS, "--json")
    assert (said.code, said.err) == (0, "")
    records = said.records()
    assert all(tuple(record) == expected.header for record in records)
    assert records == expected.records()


def test_one_number_is_an_object_with_its_name(run: Run) -> None:
    book = sample_book(SAMPLE)
    said = run("equity", *BOOK_ARGUMENTS, "--basis", "gross", "--json")
    assert said.json() == {"equity": functions.equity(book, basis="gross")}
    assert "1,687,310.00 USDC" in run("equity", *BOOK_ARGUMENTS).out


def test_no_answer_is_null_with_its_reason(run: Run) -> None:
    said = run("liquidation-price", *BOOK_ARGUMENTS, "--underlying", "kPEPE", "--json")
    answer = said.json()
    assert isinstance(answer, dict)
    assert said.code == 0
    assert answer["liquidation_price"] is None
    assert "no price of kPEPE" in answer["reason"]


def test_a_calculator_without_a_book_takes_negative_numbers(run: Run) -> None:
    arguments = ["--quantity", "-1", "--entry", "100", "--collateral", "5", "--mmr", "0.004"]
    answer = run("one-position-price", *arguments, "--json").json()
    # short: 5 - (P - 100) = 0.004 P
    assert answer == {"one_position_price": pytest.approx(105.0 / 1.004, rel=1e-12)}


def test_options_reach_the_book_and_the_function(run: Run) -> None:
    options = ["--option", "policy=largest_notional", "--option", "partial=1", "--json"]
    records = run("liquidation-order", *BOOK_ARGUMENTS, *options).records()
    closed = [record for record in records if record["action"] == "close"]
    assert closed[0]["symbol"] == "BTC"
    assert "largest notional" in str(closed[0]["reason"])


def test_a_saved_table_has_full_precision(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    said = run("liquidation-price", *BOOK_ARGUMENTS, "--csv", str(path), "--json")
    with path.open(encoding="utf-8-sig", newline="") as file:
        saved = list(csv.DictReader(file))
    for row, record in zip(saved, said.records(), strict=True):
        assert list(row) == list(record)
        assert row["nearest"] == ("" if record["nearest"] is None else repr(record["nearest"]))


def test_brackets_complete_a_rulebook(run: Run, tmp_path: Path) -> None:
    positions = write(
        tmp_path / "positions.csv",
        "symbol,contracts,entryPrice,markPrice,leverage\nX,1,100,100,10\n",
    )
    brackets = write(
        tmp_path / "brackets.csv",
        "symbol,notionalFloor,maintenanceMarginRate,maxLeverage\nX,0,0.01,50\nX,50,0.02,25\n",
    )
    collateral = write(tmp_path / "collateral.csv", "currency,cash\nUSD,20\n")
    arguments = ["--positions", positions, "--brackets", brackets, "--collateral", collateral]
    said = run("maintenance-margin", *arguments, "--rulebook", "custom", "--json")
    # 0.01 of the first 50 and 0.02 of the next 50
    assert said.json() == {"maintenance_margin": pytest.approx(1.5, rel=1e-12)}


# --- accounts ---------------------------------------------------------------------------------

TWO_ACCOUNTS = """\
account,symbol,side,contracts,entryPrice,markPrice,leverage,marginMode,isolatedWallet
alpha,BTC,LONG,10,60000,65000,20,cross,
alpha,HYPE,LONG,1000,30,28,3,isolated,11000
beta,ETH,SHORT,-10,3000,3100,10,cross,
"""


@pytest.fixture
def accounts(tmp_path: Path) -> list[str]:
    positions = write(tmp_path / "positions.csv", TWO_ACCOUNTS)
    money = "account,currency,cash\nalpha,USDC,30000\nbeta,USDC,9000\n"
    collateral = write(tmp_path / "collateral.csv", money)
    return ["--positions", positions, "--collateral", collateral, "--rulebook", "hyperliquid"]


def test_an_account_chooses_its_rows_and_its_pools(run: Run, accounts: list[str]) -> None:
    records = run("liquidation-price", *accounts, "--account", "alpha", "--json").records()
    scopes = {record["scope"] for record in records}
    assert scopes == {"alpha", "alpha/HYPE isolated"}
    records = run("summary", *accounts, "--account", "BETA", "--json").records()
    assert [record["scope"] for record in records] == ["beta"]


def test_an_account_is_the_scope_of_a_single_number(run: Run, accounts: list[str]) -> None:
    said = run("equity", *accounts, "--account", "beta", "--json")
    assert said.json() == {"equity": 8000.0}
    said = run("equity", *accounts, "--account", "beta", "--scope", "alpha")
    assert "give one of them" in said.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["summary", "--account", "gamma"], "unknown account 'gamma'; known: alpha, beta"),
        (["summary", "--group-by", "riskUnit", "--account", "alpha"], "do not say whose account"),
        (["liquidation-price", "--underlying", "BTC", "--account", "beta"], "the whole book"),
    ],
)
def test_an_account_that_cannot_be_chosen_is_refused(
    run: Run, accounts: list[str], arguments: list[str], sentence: str
) -> None:
    said = run(*arguments, *accounts)
    assert said.code == 2
    assert sentence in said.err


def test_a_list_gives_each_account_its_rulebook(
    run: Run, accounts: list[str], tmp_path: Path
) -> None:
    rules = "account,rulebook\nalpha,hyperliquid\nbeta,hyperliquid\n"
    listed = [*accounts[:-1], write(tmp_path / "rules.csv", rules)]
    assert run("initial-margin", *listed, "--json").json() == (
        run("initial-margin", *accounts, "--json").json()
    )


# --- refusals ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["summary", "--rulebook", "hyperliquid"], "Missing option '--positions'"),
        (["summary", *BOOK_ARGUMENTS[:-1], "nowhere"], "unknown rulebook 'nowhere'"),
        (["summary", *BOOK_ARGUMENTS, "--positions", "no.csv"], "'no.csv' does not exist"),
        (["summary", *BOOK_ARGUMENTS, "--option", "a=b"], "unknown option 'a'"),
        (["summary", *BOOK_ARGUMENTS, "--option", "a"], "must be written key=value"),
        (["liquidation-price", *BOOK_ARGUMENTS, "--path", "up"], "unknown path 'up'"),
        (["rulebooks", "nowhere"], "unknown rulebook 'nowhere'"),
        (["check"], "name a file to check"),
        (["nothing"], "No such command 'nothing'"),
    ],
)
def test_a_refusal_is_one_sentence_with_exit_code_2(
    run: Run, arguments: Sequence[str], sentence: str
) -> None:
    said = run(*arguments)
    assert (said.code, said.out) == (2, "")
    assert sentence in said.err
    assert said.err.count("\n") == 1
    assert "Traceback" not in said.err
    said = run(*arguments, "--json")
    answer = said.json()
    assert isinstance(answer, dict)
    assert (said.code, said.err) == (2, "")
    assert set(answer) == {"error", "reason"}
    assert answer["error"] in {"#VALUE!", "#N/A", "#NUM!"}
    assert sentence in answer["reason"]


def test_a_row_with_an_error_is_refused_by_name_and_listed_by_check(
    run: Run, tmp_path: Path
) -> None:
    text = "symbol,side,contracts,entryPrice,markPrice\nBTC,LONG,-1,100,100\nETH,LONG,1,10,10\n"
    files = ["--positions", write(tmp_path / "p.csv", text), "--rulebook", "hyperliquid"]
    said = run("summary", *files, "--json")
    answer = said.json()
    assert isinstance(answer, dict)
    assert said.code == 2
    assert "row 2" in answer["reason"]
    for arguments in (files, files[:2]):
        said = run("check", *arguments, "--json")
        assert said.code == 0
        errors = [record for record in said.records() if record["severity"] == "ERROR"]
        assert [record["row"] for record in errors] == [2.0]


def test_files_that_are_no_tables_are_refused(run: Run, tmp_path: Path) -> None:
    for name, content in (("a.csv", ""), ("b.xyz", "x"), ("c.parquet", "no parquet")):
        path = write(tmp_path / name, content)
        said = run("summary", "--positions", path, "--rulebook", "hyperliquid")
        assert said.code == 2, said
        assert said.err.count("\n") == 1
        assert "Traceback" not in said.err
    said = run("summary", *BOOK_ARGUMENTS, "--csv", str(tmp_path / "none" / "x.csv"))
    assert said.code == 2
    assert "No such file or directory" in said.err


def test_a_defect_of_ours_is_said_so_and_has_another_exit_code(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> int:
        raise RuntimeError("lost")

    monkeypatch.setattr(_cli_commands, "_run", broken)
    said = run("version")
    assert said.code == 1
    assert said.err == "this is a defect of crossmargin and not of your data: RuntimeError: lost\n"


# --- texts that want to be something else -----------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "  =1", "＝1", "=cmd|' /C calc'!A0"],  # noqa: RUF001
)
def test_no_text_becomes_a_formula(tmp_path: Path, text: str) -> None:
    assert _cli_show.guarded(text) == f"'{text}"
    path = tmp_path / "table.csv"
    _cli_show.write_csv(Table(("symbol", "pnl"), [(text, -1.5)]), path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file)) == [["symbol", "pnl"], [f"'{text}", "-1.5"]]


def test_texts_neither_steer_the_terminal_nor_are_read_as_markup(run: Run, tmp_path: Path) -> None:
    text = "account,symbol,contracts,entryPrice,markPrice\n[red]a\x1b[31m,BTC,1,100,100\n"
    money = write(tmp_path / "c.csv", "account,currency,cash\n[red]a\x1b[31m,USDC,50\n")
    files = ["--positions", write(tmp_path / "p.csv", text), "--collateral", money]
    said = run("summary", *files, "--rulebook", "hyperliquid")
    assert said.code == 0, said.err
    assert "\x1b" not in said.out
    assert "[red]a" in said.out


# --- the look ---------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize(
    "name", ["summary", "liquidation-price", "liquidation-order", "tiers", "check", "functions"]
)
def test_tables_fit_the_terminal(
    run: Run, monkeypatch: pytest.MonkeyPatch, name: str, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    arguments = [] if name == "functions" else BOOK_ARGUMENTS
    said = run(name, *arguments)
    assert said.code == 0
    assert said.err == ""
    assert max(map(len, said.out.splitlines())) <= width
    assert "…" not in said.out


def test_prices_are_shown_nearest_first_and_the_rest_is_named(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    out = run("liquidation-price", *BOOK_ARGUMENTS).out
    assert out.index(" SOL ") < out.index(" BTC ") < out.index(" ETH ") < out.index(" ENA ")
    assert "1 (kPEPE)" in out
    assert "in USDC · hyperliquid@" in out
    assert "80,955.72" in out


def test_many_rows_are_cut_and_said(run: Run) -> None:
    out = run("tiers", *BOOK_ARGUMENTS, "--rows", "3").out
    assert "10 more rows (--rows 0 shows all" in out
    assert "more rows" not in run("tiers", *BOOK_ARGUMENTS, "--rows", "0").out


def test_the_accounts_with_the_smallest_excess_come_first(
    run: Run, accounts: list[str], tmp_path: Path
) -> None:
    money = "account,currency,cash\nalpha,USDC,30000\nbeta,USDC,1700\n"
    given = list(accounts)
    given[given.index("--collateral") + 1] = write(tmp_path / "less.csv", money)
    out = run("summary", *given).out
    assert out.index("beta") < out.index("alpha") < out.index("TOTAL")
    assert "smallest excess_mm first" in out
    scopes = [record["scope"] for record in run("summary", *given, "--json").records()]
    assert scopes == ["alpha", "beta", "TOTAL"]


def test_a_step_that_closes_everything_is_one_line_on_the_screen_and_all_rows_in_json(
    run: Run,
) -> None:
    few = ["--max-steps", "3"]
    assert "12 positions" in run("liquidation-order", *BOOK_ARGUMENTS, *few).out
    assert "12 positions" not in run("liquidation-order", *BOOK_ARGUMENTS, *few, "--rows", "0").out
    assert len(run("liquidation-order", *BOOK_ARGUMENTS, *few, "--json").records()) == 1 + 12 + 12


def test_numbers_have_thousands_and_no_noise() -> None:
    shown = [_cli_show.number(value) for value in (0.0, 93400.0, 0.00487, 80955.72054, -12.5)]
    assert shown == ["0", "93,400", "0.00487", "80,955.72", "-12.5"]


# --- the sample, by formulas written from the rules -------------------------------------------

# Largest leverage of the first bracket, from the venue's margin tables; every sample position is in
# its first bracket, whose maintenance rate is half of one over it and whose amount is zero.
LARGEST_LEVERAGE = {"BTC": 40, "ETH": 25, "SOL": 20, "XRP": 20, "TAO": 5}
OTHERS = 10


@dataclass(frozen=True)
class Row:
    symbol: str
    quantity: float
    entry: float
    mark: float
    leverage: float
    isolated: float | None

    @property
    def rate(self) -> float:
        return 0.5 / LARGEST_LEVERAGE.get(self.symbol, OTHERS)

    @property
    def pnl(self) -> float:
        return self.quantity * (self.mark - self.entry)

    @property
    def maintenance(self) -> float:
        return self.rate * abs(self.quantity) * self.mark


def rows() -> list[Row]:
    with SAMPLE["positions"].open(encoding="utf-8", newline="") as file:
        return [
            Row(
                line["symbol"],
                float(line["contracts"]),
                float(line["entryPrice"]),
                float(line["markPrice"]),
                float(line["leverage"]),
                float(line["isolatedWallet"]) if line["isolatedWallet"] else None,
            )
            for line in csv.DictReader(file)
        ]


def cash() -> float:
    with SAMPLE["collateral"].open(encoding="utf-8", newline="") as file:
        return math.fsum(float(line["cash"]) for line in csv.DictReader(file))


def price_where_equity_is_maintenance(row: Row, money: float, others: float) -> float | None:
    """Solve `money + q (P - mark) = others + rate |q| P`; money counts the row at its mark."""
    slope = row.quantity - row.rate * abs(row.quantity)
    price = (others - money + row.quantity * row.mark) / slope
    return price if price > 0.0 else None


def test_the_sample_is_restricted_with_a_trigger_between_10_and_20_percent(run: Run) -> None:
    cross = [row for row in rows() if row.isolated is None]
    equity = cash() + math.fsum(row.pnl for row in cross)
    maintenance = math.fsum(row.maintenance for row in cross)
    initial = math.fsum(abs(row.quantity) * row.mark / row.leverage for row in cross)
    # orders that are not reduce-only: buy 4 BTC at 90,500 at 25x and 5,000 SOL at 136 at 20x, both
    # adding to a long
    orders = 4.0 * 90_500.0 / 25.0 + 5_000.0 * 136.0 / 20.0
    record = run("summary", *BOOK_ARGUMENTS, "--group-by", "pool", "--json").records()[0]
    assert record["scope"] == "desk"
    assert record["equity_adjusted"] == pytest.approx(equity, rel=1e-12)
    assert record["mm"] == pytest.approx(maintenance, rel=1e-12)
    assert record["im"] == pytest.approx(initial + orders, rel=1e-12)
    assert record["order_margin"] == pytest.approx(orders, rel=1e-12)
    assert record["usage"] == pytest.approx(maintenance / equity, rel=1e-12)
    assert record["excess_mm"] == pytest.approx(equity - maintenance, rel=1e-12)
    assert equity > maintenance
    assert equity < initial + orders
    assert record["status"] == "restricted"


def test_the_prices_of_the_sample_solve_equity_equals_maintenance(run: Run) -> None:
    records = run("liquidation-price", *BOOK_ARGUMENTS, "--json").records()
    found = {record["underlying"]: record for record in records}
    held = rows()
    cross = [row for row in held if row.isolated is None]
    equity = cash() + math.fsum(row.pnl for row in cross)
    for row in held:
        if row.isolated is None:
            money = equity
            others = math.fsum(other.maintenance for other in cross if other is not row)
        else:
            money, others = row.isolated + row.pnl, 0.0
        price = price_where_equity_is_maintenance(row, money, others)
        record = found[row.symbol]
        if price is None:
            assert record["nearest"] is None
            continue
        assert record["nearest"] == pytest.approx(price, rel=1e-10)
        assert record["nearest_pct"] == pytest.approx(price / row.mark - 1.0, rel=1e-10)
        assert (record["down"] is None) == (row.quantity < 0.0)
    assert -0.2 < float(str(found["SOL"]["nearest_pct"])) < -0.1


def test_all_coins_together_trigger_where_the_sums_say(run: Run) -> None:
    cross = [row for row in rows() if row.isolated is None]
    equity = cash() + math.fsum(row.pnl for row in cross)
    maintenance = math.fsum(row.maintenance for row in cross)
    value = math.fsum(row.quantity * row.mark for row in cross)
    # equity + value x = maintenance (1 + x)
    move = (maintenance - equity) / (value - maintenance)
    records = run("liquidation-price", *BOOK_ARGUMENTS, "--path", "together", "--json").records()
    for record in records:
        if record["scope"] == "desk":
            assert record["nearest_pct"] == pytest.approx(move, rel=1e-10)


def test_the_first_step_of_the_highest_risk_contribution_is_the_needed_part_of_it(
    run: Run,
) -> None:
    cross = [row for row in rows() if row.isolated is None]
    sol = next(row for row in cross if row.symbol == "SOL")
    equity = cash() + math.fsum(row.pnl for row in cross)
    others = math.fsum(row.maintenance for row in cross if row is not sol)
    trigger = price_where_equity_is_maintenance(sol, equity, others)
    assert trigger is not None
    price = trigger + 0.01 * (trigger - sol.mark)  # past the trigger by a hundredth of the move
    shares = {row.symbol: row.maintenance for row in cross}
    shares["SOL"] = sol.rate * sol.quantity * price
    short_of = math.fsum(shares.values()) - (equity + sol.quantity * (price - sol.mark))
    policy = ["--option", "policy=highest_risk_contribution", "--json"]
    records = run("liquidation-order", *BOOK_ARGUMENTS, *policy).records()
    assert records[0]["action"] == "cancel_orders"
    first = records[1]
    assert first["symbol"] == max(shares, key=lambda symbol: shares[symbol])
    assert first["price"] == pytest.approx(price, rel=1e-10)
    # closing at the price leaves equity as it is and frees rate x price per coin
    assert first["qty"] == pytest.approx(short_of / (sol.rate * price), rel=1e-6)


def test_the_venue_takes_a_fifth_of_every_large_position_first(run: Run) -> None:
    cross = {row.symbol: row for row in rows() if row.isolated is None}
    records = run("liquidation-order", *BOOK_ARGUMENTS, "--json").records()
    first = [record for record in records if record["step"] == 2.0]
    assert {record["symbol"] for record in first} == set(cross)
    for record in first:
        row = cross[str(record["symbol"])]
        assert record["qty"] == pytest.approx(0.2 * abs(row.quantity), rel=1e-12)
        assert record["side"] == ("sell" if row.quantity > 0.0 else "buy")


def test_policies_disagree_about_the_sample(run: Run) -> None:
    firsts = {}
    for policy in ("largest_notional", "highest_risk_contribution", "pro_rata"):
        option = ["--option", f"policy={policy}", "--max-steps", "4", "--json"]
        records = run("liquidation-order", *BOOK_ARGUMENTS, *option).records()
        firsts[policy] = [record["symbol"] for record in records if record["step"] == 2.0]
    assert firsts["largest_notional"] == ["BTC"]
    assert firsts["highest_risk_contribution"] == ["SOL"]
    assert len(firsts["pro_rata"]) == 12


def test_the_rest_of_the_account_counts_in_the_two_positions_example(run: Run) -> None:
    found = run("liquidation-price", *TWO_ARGUMENTS, "--underlying", "ALPHA", "--json").json()
    assert found == {"liquidation_price": pytest.approx((100.0 - 5.0 + 4.0) / 0.996, rel=1e-12)}
    assert round(99.0 / 0.996, 2) == 99.4
    assert run("equity", *TWO_ARGUMENTS, "--json").json() == {"equity": 5.0}


# --- the demonstration ------------------------------------------------------------------------


def test_the_demonstration_answers_and_writes_its_files(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_cli_demo, "_workbook_builder", lambda: None)
    folder = tmp_path / "out"
    said = run("demo", "--output", str(folder))
    assert (said.code, said.err) == (0, "")
    for words in (
        *("RESTRICTED", "Nearest trigger: SOL at 124.5439", "workbook: not built"),
        "Worst scenario: options/BTC loses 234,143 if BTC moves -16 %, volatility down.",
    ):
        assert words in said.out
    for name in ("positions.csv", "result_summary.csv", "result_liquidation_price.csv"):
        assert (folder / name).is_file()
    again = ["--positions", str(folder / "positions.csv"), "--rulebook", "hyperliquid"]
    assert run("check", *again).code == 0


def test_the_demonstration_in_json_has_the_same_tables(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_cli_demo, "_workbook_builder", lambda: None)
    answer = run("demo", "--output", str(tmp_path), "--json").json()
    assert isinstance(answer, dict)
    prices = run("liquidation-price", *BOOK_ARGUMENTS, "--json").records()
    assert answer["liquidation_price"] == prices
    assert len(answer["files"]) == 16
    worst = next(row for row in answer["option_scenarios"] if row["rank"] == 1.0)
    assert (worst["risk_unit"], worst["price_move"]) == ("BTC", -0.16)


def test_the_workbook_is_written_from_the_same_tables(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Table] = {}

    def builder(output: Path, tables: dict[str, Table]) -> list[Path]:
        given.update(tables)
        path = output / "book.xlsx"
        path.write_bytes(b"")
        return [path]

    monkeypatch.setattr(_cli_demo, "_workbook_builder", lambda: builder)
    said = run("demo", "--output", str(tmp_path))
    assert "book.xlsx" in said.out
    assert "not built" not in said.out
    assert {"positions", "collateral", "market", "orders", "summary"} <= set(given)
    assert len(given["positions"]) == len(rows())
    assert len(given["option_positions"]) == 13


OPTION_ARGUMENTS = [
    word for name, path in sample_files("options").items() for word in (f"--{name}", str(path))
]
OPTION_ARGUMENTS += ["--rulebook", "deribit-spm", "--as-of", "2026-01-13T12:00:00Z"]


def test_the_marks_of_the_option_book_are_those_of_its_volatilities() -> None:
    with sample_files("options")["positions"].open(encoding="utf-8", newline="") as file:
        held = [row for row in csv.DictReader(file) if row["markIv"]]
    assert len(held) == 11
    for row in held:
        _, expiry, strike, right = row["symbol"].split("-")
        delivery = datetime.strptime(f"{expiry} 08 +0000", "%d%b%y %H %z")
        years = (delivery - datetime(2026, 1, 13, 12, tzinfo=UTC)).total_seconds() / 86_400 / 365
        forward = float(row["forward"])
        value = crossmargin.option_values(
            {"C": "call", "P": "put"}[right], forward, float(strike), float(row["markIv"]), years
        )
        assert float(row["markPrice"]) == pytest.approx(float(value) / forward, abs=5.1e-7)


@pytest.mark.parametrize("name", ["explain", "scenarios", "exposure", "compare"])
def test_a_command_answers_to_the_name_of_the_sheet_too(run: Run, name: str) -> None:
    more = ["--rulebooks", "pm;span-16"] if name == "compare" else []
    said = run(name, *OPTION_ARGUMENTS, *more, "--json")
    assert said.code == 0
    record = registry.record(f"CM_{name.upper()}")
    assert said.out == run(_cli_commands.command_name(record), *OPTION_ARGUMENTS, *more,
                           "--json").out  # fmt: skip


@pytest.mark.parametrize("width", ["80", "120", "200"])
def test_an_explanation_names_every_component_on_the_screen(
    run: Run, monkeypatch: pytest.MonkeyPatch, width: str
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    said = run("explain", *OPTION_ARGUMENTS)
    assert "187,314.16" in said.out
    assert "options/BTC" in said.out
    assert "TOTAL" in said.out


@pytest.mark.parametrize("width", ["80", "120", "200"])
@pytest.mark.parametrize("name", ["exposure", "compare"])
def test_wide_tables_of_the_option_book_keep_their_numbers_whole(
    run: Run, monkeypatch: pytest.MonkeyPatch, name: str, width: str
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    more = {
        "exposure": ["--group-by", "expiry"],
        "compare": ["--rulebooks", "pm;span-16;custom-scan;derive-pm2;paradex-pm"],
    }[name]
    said = run(name, *OPTION_ARGUMENTS, *more)
    assert {"exposure": "-615,576.09", "compare": "266,908.73"}[name] in said.out
    assert {"exposure": "BTC 2026-03-27", "compare": "paradex-pm"}[name] in said.out


def test_options_need_the_moment_of_the_data(run: Run) -> None:
    said = run("scenarios", *OPTION_ARGUMENTS[:-2])
    assert said.code == 2
    assert "no as-of is given" in said.err


def test_a_price_move_is_a_percentage_with_its_sign(run: Run) -> None:
    said = run("scenarios", *OPTION_ARGUMENTS)
    assert "-16.0 %" in said.out
    assert "+50.0 %" in said.out


def test_the_program_runs_as_its_own_process_and_a_reader_may_leave(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "crossmargin.cli", "tiers", *BOOK_ARGUMENTS, "--json"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(json.loads(done.stdout)) == len(rows())
    with (
        (tmp_path / "err").open("w") as error,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=error) as process,
    ):
        assert process.stdout is not None
        process.stdout.close()
    assert "Traceback" not in (tmp_path / "err").read_text()


def test_the_difference_of_two_books_and_their_accounts_are_asked_with_files(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    now = tmp_path / "now.csv"
    now.write_text("coin,szi,entryPx,markPx,leverage\nBTC,2,90000,91000,10\n")
    then = tmp_path / "then.csv"
    then.write_text("coin,szi,entryPx,markPx,leverage\nBTC,1,90000,91000,10\n")
    cash = tmp_path / "cash.csv"
    cash.write_text("currency,cash\nUSDC,50000\n")
    files = ["--rulebook", "hyperliquid", "--positions", str(then), "--collateral", str(cash)]
    assert cli.main(["book-difference", *files, "--book-new", str(now), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    changes = {row["driver"]: row["change"] for row in rows}
    # one coin more at 91,000, of which 1/80 is maintenance
    assert changes["trades"] == pytest.approx(91_000 / 80)
    assert changes["TOTAL"] == pytest.approx(91_000 / 80)
    alone = ["book-difference", *files, "--book-new", str(now), "--book-new-as-of", "2026-01-01"]
    assert cli.main([*alone, "--json"]) == 0
    capsys.readouterr()
    assert cli.main(["account-ranking", *files, "--json"]) == 0
    ranked = json.loads(capsys.readouterr().out)
    assert [row["account"] for row in ranked] == ["main"]
    broken = tmp_path / "broken.csv"
    broken.write_text("coin,szi,entryPx,leverage\nBTC,1,90000,10\n")
    assert cli.main(["book-difference", *files, "--book-new", str(broken)]) == 2
    assert "--book-new: Positions: row 2" in capsys.readouterr().err
