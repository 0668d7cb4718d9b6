"""Rulebooks of one's own: from a file, a mapping or rows of a sheet, per account, compared."""

from __future__ import annotations

import csv
import json
import tomllib
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openpyxl
import polars as pl
import pytest

import crossmargin
from crossmargin import _core, cli, registry
from crossmargin import functions as cm
from crossmargin.errors import RulebookError, UnknownWordError
from crossmargin.table import Table
from tests.oracle.sheets import table

if TYPE_CHECKING:
    from collections.abc import Callable

TEMPLATE = Path(__file__).parents[2] / "workbook" / "crossmargin.xlsx"
NAMES = [str(name) for name in cm.rulebooks().column("id")]
POSITIONS = table(
    "account symbol contracts entryPrice markPrice leverage",
    ["a", "BTC", 1.5, 90000, 95000.5, 10],
    ["a", "ETH", -10, 3300, 3200.25, 10],
    ["b", "SOL", 200, 150, 143.7, 5],
)
CASH = table("account currency cash", ["a", "USD", 50000], ["b", "USD", 9000])
MIXED = table("account currency cash", ["a", "USD", 50000], ["b", "USDC", 9000])
MARKET = table("underlying indexPrice", ["USDC", 1.0])


def text_of(name: str) -> str:
    return _core.rulebook_text("id", name)


def rows_of(name: str) -> list[list[Any]]:
    """Return what a sheet shows of a rulebook, header first."""
    answer = registry.call("CM_RULEBOOKS", [name])
    assert isinstance(answer, list)
    return answer


def changed(rows: list[list[Any]], key: str, value: object) -> list[list[Any]]:
    assert any(row[1] == key for row in rows), key
    return [[*row[:2], value, *row[3:]] if row[1] == key else list(row) for row in rows]


def bits(rulebook: object) -> list[object]:
    """Return every margin result of the sample book, numbers to the bit."""
    book = cm.book(POSITIONS, rulebook, collateral=CASH, market=MARKET)
    tables = [cm.summary(book), cm.tiers(book), cm.liquidation_price(book)]
    tables.append(cm.liquidation_order(book))
    assert isinstance(tables[2], Table)
    cells = [cell for made in tables for row in made.rows for cell in row]  # type: ignore[union-attr]
    numbers = [cm.initial_margin(book), cm.maintenance_margin(book), cm.equity(book)]
    return [cell.hex() if isinstance(cell, float) else cell for cell in [*numbers, *cells]]


# --- a sheet is a file ------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["custom", "custom-scan"])
def test_a_sheet_gives_the_margins_of_the_file_to_the_bit(name: str, tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(text_of(name), encoding="utf-8")
    from_file = bits(path)
    assert len(from_file) > 100
    assert len([cell for cell in from_file if isinstance(cell, str) and "p" in cell]) > 20
    rows = rows_of(name)
    assert bits(name) == from_file
    assert bits(str(path)) == from_file
    assert bits(rows) == from_file
    assert bits([row[1:3] for row in rows]) == from_file
    assert bits([*rows, [None] * 6, [""] * 6]) == from_file
    assert bits(cm.rulebooks(name)) == from_file
    assert bits(tomllib.loads(text_of(name))) == from_file
    frame = pl.DataFrame([[str(cell) for cell in row] for row in rows[1:]], rows[0], orient="row")
    assert bits(frame) == from_file
    with (tmp_path / "rules.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    assert bits(tmp_path / "rules.csv") == from_file


@pytest.mark.parametrize("name", NAMES)
def test_the_rows_of_every_rulebook_are_the_rulebook(name: str) -> None:
    rows = rows_of(name)
    assert rows[0] == ["part", "key", "value", "unit", "source", "note"]
    assert len(rows) > 20
    again = registry.call("CM_RULEBOOKS", [rows])
    assert isinstance(again, list)
    assert sorted(map(str, again)) == sorted(map(str, rows))


@pytest.mark.parametrize("name", NAMES)
def test_the_rows_of_every_rulebook_keep_their_places(name: str) -> None:
    rows = rows_of(name)
    assert registry.call("CM_RULEBOOKS", [rows]) == rows


def test_a_changed_cell_changes_the_margin() -> None:
    doubled = changed(rows_of("custom-scan"), "levels.maintenance.factor", 2.0)
    book = cm.book(POSITIONS, "custom-scan", collateral=CASH)
    other = cm.book(POSITIONS, doubled, collateral=CASH)
    once, twice = cm.maintenance_margin(book), cm.maintenance_margin(other)
    assert once is not None
    assert twice == pytest.approx(2 * once)
    assert other.key != book.key


def test_each_row_tells_the_status_of_its_own_group() -> None:
    notes = {str(row["key"]): str(row["note"]) for row in cm.rulebooks("hyperliquid")}
    assert notes["id"].startswith("verified")
    assert notes["levels.maintenance.trigger"].startswith("documented")
    assert notes["tiers.tables.40/20@150M.max_leverage"].startswith("verified")
    assert (
        "maintenance rates that hold: 0.0125 0.025"
        in (notes["tiers.tables.40/20@150M.max_leverage"])
    )
    assert notes["tiers.tables.10/5@3M (page).floors"].startswith("documented")
    assert cm.rulebooks("hyperliquid").column("note") != []
    assert cm.rulebooks().column("status").count("estimated") >= 2


def test_every_part_that_is_documented_is_known_and_the_parts_make_the_whole() -> None:
    documented = registry.record("CM_RULEBOOKS").arguments[1].doc
    names = documented.rstrip(".").replace(" or ", ", ").split(", ")
    assert names[0] == "all"
    whole = cm.rulebooks("custom-scan")
    pieces = [row for name in names[1:] for row in cm.rulebooks("custom-scan", part=name).rows]
    assert len(pieces) > 60
    assert sorted(map(str, pieces)) == sorted(map(str, whole.rows))
    with pytest.raises(UnknownWordError, match="unknown part 'rates'; known: all, general"):
        cm.rulebooks("custom", part="rates")


@pytest.mark.filterwarnings("ignore::UserWarning:openpyxl")
def test_the_table_of_the_template_is_a_rulebook() -> None:
    sheet = openpyxl.load_workbook(BytesIO(TEMPLATE.read_bytes()))["Rulebook"]
    cells = sheet[sheet.tables["OwnRules"].ref]
    rows = [[cell.value for cell in row] for row in cells]
    assert rows[0] == ["part", "key", "value", "unit", "source", "note"]
    own = cm.book(POSITIONS, rows, collateral=CASH)
    custom = cm.book(POSITIONS, "custom", collateral=CASH)
    assert cm.maintenance_margin(own) == cm.maintenance_margin(custom)
    assert own.key.split("|")[1] == "own@1"


# --- accounts ---------------------------------------------------------------------------------


def test_each_account_has_the_rulebook_that_the_list_gives_it(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text_of("custom-scan").replace('"custom-scan"', '"mine"'), encoding="utf-8")
    forms: list[object] = [
        "custom-scan",
        "custom-scan@1",
        path,
        str(path),
        tomllib.loads(text_of("custom-scan")),
        rows_of("custom-scan"),
        cm.rulebooks("custom-scan"),
    ]
    alone = cm.book(POSITIONS[:3], "custom-scan", collateral=CASH[:2], market=MARKET)
    other = cm.book(
        [POSITIONS[0], POSITIONS[3]], "hyperliquid", collateral=[MIXED[0], MIXED[2]], market=MARKET
    )
    for form in forms:
        rules = [["account", "rulebook"], ["a", form], ["b", "hyperliquid"]]
        book = cm.book(POSITIONS, rules, collateral=MIXED, market=MARKET)
        assert cm.maintenance_margin(book, scope="a") == cm.maintenance_margin(alone)
        assert cm.maintenance_margin(book, scope="b") == cm.maintenance_margin(other)
        assert book.report_currencies == ["USD", "USDC"]


# --- refusals ---------------------------------------------------------------------------------


def row_number(rows: list[list[Any]], key: str) -> int:
    return next(number for number, row in enumerate(rows, start=1) if row[1] == key)


FACTOR = "levels.initial.factor"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda rows: changed(rows, FACTOR, "high"),
            "rulebook 'custom', levels.initial.factor: must be a number, was 'high' (row {0})",
        ),
        (
            lambda rows: changed(rows, FACTOR, -1.0),
            "rulebook 'custom', levels.initial.factor: must be between 0 and 100, was -1 (row {0})",
        ),
        (
            lambda rows: [
                [r[0], "levels.initial.faktor", *r[2:]] if r[1] == FACTOR else r for r in rows
            ],
            (
                "levels.initial.faktor: is no key of a rulebook; levels.initial has factor, "
                "trigger, inclusive, haircut, gains, option_value, depeg_threshold, depeg_rate "
                "(row {0})"
            ),
        ),
        (
            lambda rows: [[*r[:4], "", r[5]] if r[1] == FACTOR else r for r in rows],
            "levels.initial.factor: a number without a source is refused (row {0})",
        ),
        (
            lambda rows: [r for r in rows if r[1] != "source"],
            "rulebook 'custom', source: is missing; a number without a source is refused",
        ),
        (
            lambda rows: [r for r in rows if r[1] != "venue"],
            "rulebook 'custom', venue: is missing; a rulebook needs it here",
        ),
        (
            lambda rows: [*rows, ["levels", FACTOR, 1.0, "", "x", ""]],
            "rulebook 'custom', levels.initial.factor: stands in two rows",
        ),
        (
            lambda rows: [*rows, ["levels", "levels.initial", 1.0, "", "x", ""]],
            "rulebook 'custom', levels.initial: is a group: a row needs one of its keys",
        ),
    ],
)
def test_a_sheet_that_is_no_rulebook_is_refused_by_key_and_row(
    change: Callable[[list[list[Any]]], list[list[Any]]], sentence: str
) -> None:
    rows = rows_of("custom")
    answer = registry.call("CM_BOOK", [POSITIONS, change(rows), CASH])
    assert isinstance(answer, registry.SheetError)
    assert answer.sign == "#VALUE!"
    assert sentence.format(row_number(rows, FACTOR)) in answer.reason


def test_a_mapping_and_a_file_are_refused_by_the_same_words(tmp_path: Path) -> None:
    mapping = tomllib.loads(text_of("custom"))
    mapping["levels"]["initial"]["factor"] = "high"
    sentence = "rulebook 'custom', levels.initial.factor: must be a number, was the text 'high'"
    with pytest.raises(RulebookError, match=f"^{sentence}$"):
        cm.book(POSITIONS, mapping, collateral=CASH)
    path = tmp_path / "rules.toml"
    path.write_text(text_of("custom").replace("factor = 1.0", 'factor = "high"', 1))
    with pytest.raises(RulebookError, match=f"^{sentence}$"):
        cm.book(POSITIONS, path, collateral=CASH)
    with pytest.raises(UnknownWordError, match="holds numbers, texts"):
        cm.book(POSITIONS, {"id": {1, 2}}, collateral=CASH)
    with pytest.raises(UnknownWordError, match="need the columns key and value"):
        cm.rulebooks([["a", "b", "c"], ["d", "e", "f"]])


# --- differences ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_rulebook_does_not_differ_from_itself(name: str, tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(text_of(name), encoding="utf-8")
    assert len(cm.rulebooks(name)) > 20
    for other in (name, path, rows_of(name), tomllib.loads(text_of(name))):
        assert len(crossmargin.rulebook_diff(name, other)) == 0


def test_the_difference_of_two_rulebooks_names_values_changes_and_sources() -> None:
    found = crossmargin.rulebook_diff("hyperliquid", "custom")
    assert found.header == ("part", "key", "a", "b", "change", "source_a", "source_b")
    by_key = {str(row["key"]): row for row in found}
    assert by_key["report_currency"]["a"] == "USDC"
    assert by_key["report_currency"]["b"] == "USD"
    assert by_key["report_currency"]["change"] == "changed"
    tiers = by_key["tiers.tables.40/20@150M.max_leverage"]
    assert (tiers["a"], tiers["b"], tiers["change"]) == ("40; 20", "", "only in a")
    assert str(tiers["source_a"]).startswith("api.hyperliquid.xyz/info")
    assert str(tiers["source_a"]).endswith("verified")
    # hyperliquid does not say its policy's factor; both hold 1, so it is no difference
    assert "levels.initial.factor" not in by_key
    assert by_key["levels.initial.haircut"]["a"] == "no"


def test_two_numbers_differ_by_a_number() -> None:
    rows = changed(rows_of("custom"), "levels.initial.factor", 1.25)
    found = crossmargin.rulebook_diff("custom", rows)
    assert [row["key"] for row in found] == ["levels.initial.factor"]
    assert found.column("change") == [0.25]
    assert [row["b"] for row in found] == [1.25]
    # what is left out holds by default
    rows = [row for row in rows_of("custom") if row[1] != "liquidation.policy"]
    assert len(crossmargin.rulebook_diff("custom", rows)) == 0
    rows = changed(rows_of("custom"), "liquidation.policy", "pro_rata")
    rows = [row for row in rows if row[1] != "liquidation.certainty"]
    found = crossmargin.rulebook_diff("custom", rows)
    assert [row["key"] for row in found] == ["liquidation.policy"]
    rows = [*rows_of("custom"), ["liquidation", "liquidation.fee", 0.01, "", "mine", ""]]
    (row,) = crossmargin.rulebook_diff("custom", rows).records()
    assert (row["a"], row["b"], row["source_a"]) == (0.0, 0.01, "left out: the default")


# --- the command line -------------------------------------------------------------------------


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = cli.main(arguments)
    return code, *capsys.readouterr()


def test_the_text_of_a_rulebook_is_printed_to_be_copied(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, text, _ = run(capsys, "rulebooks", "show", "custom-scan", "--toml")
    assert code == 0
    assert text == text_of("custom-scan")
    path = tmp_path / "copy.toml"
    path.write_text(text.replace("factor = 1.3", "factor = 1.4"), encoding="utf-8")
    code, out, _ = run(capsys, "rulebooks", "diff", "custom-scan", str(path), "--json")
    (row,) = json.loads(out)
    assert (row["key"], row["a"], row["b"]) == ("levels.initial.factor", 1.3, 1.4)
    code, out, _ = run(capsys, "rulebooks", "diff", "custom-scan", str(path))
    assert code == 0
    assert "levels.initial.factor" in out
    _, out, _ = run(capsys, "rulebooks", "diff", "custom", "custom")
    assert "nothing differs" in out


def test_show_is_what_the_command_says_without_it(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "rulebooks", "show", "custom", "--json")
    assert code == 0
    assert out == run(capsys, "rulebooks", "custom", "--json")[1]
    assert len(json.loads(out)) > 20
    code, _, err = run(capsys, "rulebooks", "diff", "custom", "nowhere")
    assert code == 2
    assert "unknown rulebook 'nowhere'" in err
    code, _, err = run(capsys, "rulebooks", "diff", "custom")
    assert code == 2
    assert "Missing argument 'B'" in err
