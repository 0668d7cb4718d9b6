"""The template workbook: one file, the same numbers in LibreOffice, through xlwings, in Python."""

from __future__ import annotations

import importlib.util
import math
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
from openpyxl.utils import get_column_letter, range_boundaries

from crossmargin import (
    account_functions,
    action_functions,
    demo_workbook,
    functions,
    registry,
)
from crossmargin.hosts import libreoffice
from crossmargin.table import Table
from crossmargin.template import headers, workbook
from crossmargin.template.values import read_csv
from tests.host import harness, office
from tests.host.office import CODES, Office

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import ModuleType

    from crossmargin._core import Book

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*extension is not supported:UserWarning"),
    pytest.mark.filterwarnings("ignore:datetime:DeprecationWarning"),
]

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "workbook" / "crossmargin.xlsx"
SAMPLES = Path(registry.__file__).parent / "samples"
VERSION = "Start!F13"  # names the computer, so it differs from one to the next
Shown = dict[str, Any]


def builder() -> ModuleType:
    """Return the script that builds the template, which is in no package."""
    specification = importlib.util.spec_from_file_location("build", ROOT / "workbook" / "build.py")
    assert specification
    assert specification.loader
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the template with this computer's version in it."""
    path = tmp_path_factory.mktemp("template") / "crossmargin.xlsx"
    return workbook.write(path, builder().sample())


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Generator[Office]:
    reason = office.missing()
    if reason:
        pytest.skip(reason)
    addin = libreoffice.build(tmp_path_factory.mktemp("addin") / "crossmargin.oxt")
    with Office(tmp_path_factory.mktemp("office"), addin) as started:
        yield started


def cached(path: Path) -> Shown:
    """Return every value of a file, errors as ``{"error": sign}``."""
    shown = {}
    for sheet in openpyxl.load_workbook(path, data_only=True).worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.value is not None:
                    is_error = cell.data_type == "e"
                    value = {"error": cell.value} if is_error else cell.value
                    shown[f"{sheet.title}!{cell.coordinate}"] = value
    return shown


def of_libreoffice(running: Office, path: Path) -> Shown:
    """Return what LibreOffice shows of all sheets after it has calculated everything."""
    running.open(path)
    running.do("recalculate")
    return read_back(running, path.with_suffix(".stored.xlsx"))


def read_back(running: Office, target: Path) -> Shown:
    running.do("store", path=str(target))
    return cached(target)


def differences(ours: Shown, theirs: Shown) -> list[str]:
    """Return the cells of `ours` that are not the same in `theirs`."""
    return [
        f"{place}: {value!r} and {theirs.get(place)!r}"
        for place, value in ours.items()
        if not is_same(value, theirs.get(place))
    ]


def is_same(one: object, other: object) -> bool:
    numbers = all(isinstance(value, int | float) for value in (one, other))
    if numbers:
        return math.isclose(one, other, rel_tol=1e-12, abs_tol=1e-300)  # type: ignore[arg-type]
    return one == other


def edited(source: Path, target: Path, sheet: str, address: str, value: float | str) -> Path:
    """Copy a workbook with one input cell changed and all saved values left as they are."""
    number = workbook.SHEETS.index(sheet) + 1
    part = f"xl/worksheets/sheet{number}.xml"
    if isinstance(value, str):
        new = f't="inlineStr"><is><t>{value}</t></is></c>'
    else:
        new = f"><v>{value!r}</v></c>"
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as made:
        for name in old.namelist():
            text = old.read(name)
            if name == part:
                cell = rf'(<c r="{address}"(?: s="\d+")?)[^>]*?(?:/>|>.*?</c>)'
                changed, count = re.subn(cell, rf"\g<1> {new}", text.decode(), count=1)
                assert count == 1
                text = changed.replace(" >", ">").encode()
            made.writestr(name, text)
    return target


def through_xlwings(path: Path) -> Shown:
    return harness.calculate_in_subprocess(path)


def place_of(what: str, row: int = 1) -> tuple[str, str]:
    """Return sheet and address of a name, or of a row of `Table[column]`, 0 being its header."""
    book = openpyxl.load_workbook(TEMPLATE)
    if what in book.defined_names:
        sheet, address = str(book.defined_names[what].attr_text).split("!")
        return sheet, address.replace("$", "")
    name, column = what.rstrip("]").split("[")
    sheet, table = next(
        (one.title, one.tables[name]) for one in book.worksheets if name in one.tables
    )
    left, top, _, _ = (int(str(bound)) for bound in range_boundaries(table.ref))
    number = [one.name for one in table.tableColumns].index(column)
    return sheet, f"{get_column_letter(left + number)}{top + row}"


def without_key(shown: Shown) -> Shown:
    """Return values without hash and number of rows: Excel's ranges have their blank rows too."""
    return {
        place: re.sub(r"[0-9a-f]{32}|\d+ (pasted )?rows\b", "...", value)
        if isinstance(value, str)
        else value
        for place, value in shown.items()
    }


def calls(path: Path) -> dict[str, str]:
    """Return the CM_ formulas of a workbook by cell."""
    found = {}
    for sheet in openpyxl.load_workbook(path).worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    text = getattr(cell.value, "text", cell.value)
                    if "CM_" in str(text):
                        found[f"{sheet.title}!{cell.coordinate}"] = str(text)
    return found


def test_the_build_gives_the_same_bytes(tmp_path: Path) -> None:
    build = builder()
    shown = "the same"
    made = [workbook.write(tmp_path / name, build.sample(), version=shown) for name in ("a", "b")]
    assert made[0].read_bytes() == made[1].read_bytes()


def test_the_committed_template_is_what_the_script_builds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "again.xlsx"
    monkeypatch.setattr("sys.argv", ["build.py", str(target)])
    builder().main()
    with zipfile.ZipFile(TEMPLATE) as committed, zipfile.ZipFile(target) as again:
        assert committed.namelist() == again.namelist()
        changed = [name for name in again.namelist() if committed.read(name) != again.read(name)]
    assert changed == [], "run python workbook/build.py and commit the result"


def test_start_leads_to_every_other_sheet() -> None:
    book = openpyxl.load_workbook(TEMPLATE)
    links = [cell.hyperlink for row in book["Start"].iter_rows() for cell in row if cell.hyperlink]
    assert {str(link.location).split("!")[0].strip("'") for link in links if link} == {
        name for name in workbook.SHEETS if name != "Start"
    }


def test_sheets_names_tables_and_validations_are_there() -> None:
    book = openpyxl.load_workbook(TEMPLATE)
    assert tuple(book.sheetnames) == workbook.SHEETS
    assert {"Book", "Rule", "WatchBand", "CallBand", "Scenario", "Status"} <= set(
        book.defined_names
    )
    tables = {name for sheet in book.worksheets for name in sheet.tables}
    assert tables == {
        *("Positions", "Collateral", "Orders", "Market", "Brackets", "OwnRules"),
        *("OptionPositions", "OptionCollateral", "OptionMarket", "History", "Limits"),
        *("Trades", "OwnStress", "Candidates"),
        *("AccountPositions", "AccountCollateral", "AccountMarket", "AccountRules"),
        *("HandPositions", "HandCollateral", "LogRows"),
    }
    lists = {
        str(rule.formula1)
        for sheet in book.worksheets
        for rule in sheet.data_validations.dataValidation
    }
    assert '"long,short,buy,sell"' in lists
    assert '"cross,isolated"' in lists
    assert any("hyperliquid" in words for words in lists)
    assert all(sheet.freeze_panes and sheet.print_title_rows for sheet in book.worksheets)
    assert all(sheet.page_setup.orientation == "landscape" for sheet in book.worksheets)


def test_every_function_stands_on_a_sheet_and_in_the_glossary() -> None:
    used = {re.match(r"=?(CM_\w+)\(", text)[1] for text in calls(TEMPLATE).values()}  # type: ignore[index]
    known = {record.sheet_name for record in registry.records()}
    assert used == known
    glossary = openpyxl.load_workbook(TEMPLATE)["Glossary"]
    listed = {cell.value for cell in glossary["B"] if str(cell.value).startswith("CM_")}
    assert listed == known


def test_headers_of_tables_are_those_of_the_functions(template: Path) -> None:
    shown = cached(template)
    seen = set()
    for place, text in calls(template).items():
        name = text.partition("(")[0].lstrip("=")
        words = [value for key, value in headers.HEADERS.items() if key.split()[0] == name]
        if words and isinstance(shown[place], str) and shown[place] in {word[0] for word in words}:
            seen.add(name)
    assert seen == {key.split()[0] for key in headers.HEADERS}


def test_values_are_saved_as_values_and_errors_as_errors() -> None:
    shown = cached(TEMPLATE)
    assert all(place in shown for place in calls(TEMPLATE))
    texts = [str(value) for value in shown.values() if not isinstance(value, dict)]
    wrong = ("#NAME?", "#N/A", "#VALUE!", "#REF!", "Err:", "\ue0c3")
    assert not [text for text in texts if text.startswith(wrong)]
    assert {value["error"] for value in shown.values() if isinstance(value, dict)} == {"#N/A"}
    with zipfile.ZipFile(TEMPLATE) as archive:
        assert b"<Application>crossmargin<" in archive.read("docProps/app.xml")
        assert b"fullCalcOnLoad" not in archive.read("xl/workbook.xml")


def test_charts_have_straight_lines_and_take_no_empty_cell_for_zero() -> None:
    with zipfile.ZipFile(TEMPLATE) as archive:
        charts = [archive.read(name).decode() for name in archive.namelist() if "charts/" in name]
    assert all(text.count('<c:dispBlanksAs val="gap"/>') == 1 for text in charts)
    lines = [part for text in charts for part in re.findall("<c:lineChart>.*?</c:lineChart>", text)]
    assert len(lines) >= 4
    assert all(part.count('<c:smooth val="0"/>') == part.count("<c:ser>") for part in lines)


def test_python_says_the_same_as_the_sheet(template: Path) -> None:
    shown = cached(template)
    sample = builder().sample()
    held = functions.book(
        sample.positions,
        sample.rulebook,
        collateral=sample.collateral,
        market=sample.market,
        orders=sample.orders,
        as_of=sample.as_of,
    )
    assert is_same(shown["Summary!F7"], functions.maintenance_margin(held))
    assert is_same(shown["Summary!I7"], functions.ratio(held))
    prices = functions.liquidation_price(held)
    assert isinstance(prices, Table)
    places = {text: place for place, text in calls(template).items()}
    first = places["=CM_LIQPRICE(Book,,,PricePath,PriceTarget)"].partition("!")[2]
    row = int(re.sub(r"\D", "", first))
    for number, answer in enumerate(prices, start=row + 1):
        mark, down = (shown[f"Liquidation!{letter}{number}"] for letter in "GH")
        assert is_same(mark, answer["mark"])
        assert is_same(down, answer["down"] or {"error": "#N/A"})


OPTION_TABLES: tuple[tuple[str, Callable[[Book], Table]], ...] = (
    ('=CM_EXPLAIN(Shown,"MM","component")', functions.explanation),
    (
        '=CM_EXPLAIN(Shown,"IM","riskUnit")',
        lambda book: functions.explanation(book, measure="IM", group_by="riskUnit"),
    ),
    (
        '=CM_EXPLAIN(Shown,"MM","position")',
        lambda book: functions.explanation(book, group_by="position"),
    ),
    ('=CM_SCENARIOS(Shown,RiskUnit,"matrix")', functions.scenarios),
    (
        '=CM_SCENARIOS(Shown,RiskUnit,"list")',
        lambda book: functions.scenarios(book, layout="list"),
    ),
    (
        '=CM_SCENARIOS(Shown,RiskUnit,"positions")',
        lambda book: functions.scenarios(book, layout="positions"),
    ),
    *(
        (
            f'=CM_EXPOSURE(Shown,"{group}",ExposureUnit)',
            lambda book, group=group: functions.exposure(book, group_by=group),
        )
        for group in ("underlying", "expiry", "strike", "symbol")
    ),
)


@pytest.fixture(scope="module")
def option_book() -> Book:
    sample = builder().sample()
    return functions.book(
        sample.option_positions,
        sample.option_rulebook,
        collateral=sample.option_collateral,
        market=sample.option_market,
        as_of=sample.option_as_of,
    )


@pytest.mark.parametrize(("formula", "asked"), OPTION_TABLES)
def test_python_says_the_same_about_the_option_book(
    template: Path, option_book: Book, formula: str, asked: Callable[[Book], Table]
) -> None:
    assert_shown(cached(template), calls(template), formula, asked(option_book))


def test_python_compares_the_option_book_as_the_sheet_does(
    template: Path, option_book: Book
) -> None:
    shown = cached(template)
    sheet, address = place_of("OptionRules")
    names = shown[f"{sheet}!{address}"]
    assert {"pm", "span-16"} <= set(names.split(";"))
    answer = functions.comparison(option_book, names)
    assert all(isinstance(row["mm"], float) for row in answer.records())
    assert_shown(shown, calls(template), "=CM_COMPARE(OptionBook,OptionRules)", answer)


@pytest.fixture(scope="module")
def risk_books() -> tuple[Book, Book]:
    """Return the main book under the rulebook of the tail, and under its own with the history."""
    sample = builder().sample()
    under_tail, under_own = (
        functions.book(
            sample.positions,
            rules,
            collateral=sample.collateral,
            market=sample.market,
            orders=sample.orders,
            as_of=sample.as_of,
            options={"history": sample.history},
        )
        for rules in ("es", sample.rulebook)
    )
    return under_tail, under_own


RISK_TABLES: tuple[tuple[str, Callable[[Book], Table]], ...] = (
    (
        '=CM_TAIL(RiskBook,"all",TailConfidence,TailHorizon,"all")',
        lambda book: functions.tail_measures(book, confidence=0.99, horizon_days=1.0, method="all"),
    ),
    (
        '=CM_CONTRIB(RiskBook,"ES",ContributionsBy)',
        lambda book: functions.risk_contributions(book, measure="ES"),
    ),
    ("=CM_CORREL(RiskBook)", functions.correlations),
    *(
        (
            f'=CM_CORREL(RiskBook,"{view}")',
            lambda book, view=view: functions.correlations(book, view=view),
        )
        for view in ("stress", "volatility", "beta", "change")
    ),
    (
        '=CM_BACKTEST(RiskBook,"all",BacktestOptions)',
        lambda book: functions.backtest(book, options={"window": "250"}),
    ),
)


@pytest.mark.parametrize(("formula", "asked"), RISK_TABLES)
def test_python_says_the_same_about_the_tail_of_the_main_book(
    template: Path,
    risk_books: tuple[Book, Book],
    formula: str,
    asked: Callable[[Book], Table],
) -> None:
    assert_shown(cached(template), calls(template), formula, asked(risk_books[0]))


def test_python_says_the_same_about_the_limits(
    template: Path, risk_books: tuple[Book, Book]
) -> None:
    quick = {"paths": "2000", "steps": "12"}
    limited = functions.limits(
        risk_books[1], limits=builder().sample().limits, profile="standard", options=quick
    )
    formula = '=CM_LIMITS(LimitBook,Limits[#All],RiskProfile,"paths=2000; steps=12")'
    shown, formulas = cached(template), calls(template)
    assert_shown(shown, formulas, formula, limited)
    caps = functions.leverage_caps(risk_books[1], profile="standard")
    assert_shown(shown, formulas, "=CM_LEVERAGE(LimitBook,,RiskProfile)", caps)


def assert_shown(shown: Shown, formulas: dict[str, str], formula: str, answer: Table) -> None:
    """Compare the cells of a formula with a table; what is none there is #N/A here."""
    (place,) = (place for place, text in formulas.items() if text == formula)
    sheet, _, address = place.partition("!")
    left, top, _, _ = (int(str(bound)) for bound in range_boundaries(address))
    for below, row in enumerate([answer.header, *answer.rows]):
        for right, value in enumerate(row):
            cell = f"{sheet}!{get_column_letter(left + right)}{top + below}"
            wanted = {"error": "#N/A"} if value is None else value
            assert is_same(wanted, shown.get(cell, "")), cell


def test_the_worst_scenario_is_named(template: Path, option_book: Book) -> None:
    shown = cached(template)
    worst = next(
        row
        for row in functions.scenarios(option_book, layout="list").records()
        if row["rank"] == 1.0
    )
    sentence = shown["Scenarios!B6"]
    assert sentence == (
        f"options/BTC loses most if BTC moves -16 %, volatility down: {worst['pnl']:,.0f}, "
        "the worst of 35 scenarios"
    )
    assert shown["Start!F11"] == sentence
    assert "BTC-30JAN26-85000-P" in shown["Scenarios!B7"]


def test_what_counts_adds_up_to_the_margin(template: Path) -> None:
    shown = cached(template)
    said = [shown[f"Explain!D{row}"] for row in (7, 8)]
    assert said == ["the rows that count add up to it"] * 2


def test_short_quantities_keep_their_sign(running: Office, template: Path) -> None:
    running.open(template)
    sheet, address = place_of("OptionPositions[contracts]")
    assert running.cell(address, sheet).text == "-30"
    running.write(address, -999.5, sheet)
    assert running.cell(address, sheet).text == "-999.5"
    found = [content.text for row in running.cells("Q27:Q34", "Scenarios") for content in row]
    assert "-20" in found


def test_xlwings_calculates_what_is_saved(template: Path) -> None:
    theirs = through_xlwings(template)
    ours = {place: value for place, value in cached(template).items() if place in theirs}
    assert len(theirs) > 3_000
    assert differences(without_key(ours), without_key(theirs)) == []
    saved = cached(template)
    assert [place for place, value in theirs.items() if value != "" and place not in saved] == []


def test_libreoffice_calculates_what_is_saved(running: Office, template: Path) -> None:
    ours = cached(template)
    assert len(ours) > 5_000
    assert differences(ours, of_libreoffice(running, template)) == []


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("Positions[contracts]", 61.0),
        ("Rule", "binance-usdm"),
        ("PricePath", "together"),
        ("GroupBy", "book"),
        ("OptionPositions[contracts]", -31.0),
        ("OptionRule", "span-16"),
        ("RiskUnit", "ETH"),
        ("ShownBook", "main"),
        ("ExposureUnit", "coin"),
        ("OptionRules", "deribit-spm;deribit-spm@2024.06;span-16"),
        ("AccountPositions[contracts]", 43.0),
        ("AccountsStress", "stress=AUG2024"),
        ("HandPositions[contracts]", 1.02),
        ("ReportBook", "accounts"),
        ("ReportTarget", "usage=0.5"),
    ],
)
def test_a_live_edit_changes_results_alike(
    running: Office, template: Path, tmp_path: Path, cell: str, value: float | str
) -> None:
    sheet, address = place_of(cell)
    running.open(template)
    before = running.cell(address, sheet)
    running.write(address, value, sheet)
    assert running.cell(address, sheet).value != before.value
    theirs = read_back(running, tmp_path / "stored.xlsx")
    ours = through_xlwings(edited(template, tmp_path / "edited.xlsx", sheet, address, value))
    saved = cached(template)
    changed = [place for place, shown in ours.items() if not is_same(shown, saved.get(place))]
    assert len(changed) > 5
    # a text that is empty in our table is no value in a stored file
    wanted = {place: shown for place, shown in ours.items() if shown != ""}
    assert differences(without_key(wanted), without_key(theirs)) == []


def test_bands_are_editable(running: Office, template: Path) -> None:
    running.open(template)
    sheet, address = place_of("Collateral[cash]")
    running.write(address, 1e9, sheet)
    assert running.cell("C6", "Start").text == "OK"
    sheet, address = place_of("WatchBand")
    running.write(address, 1e-9, sheet)
    assert running.cell("C6", "Start").text == "W  WATCH"


def test_an_error_cell_in_an_input_refuses_the_book(running: Office, template: Path) -> None:
    running.open(template)
    _, address = place_of("Positions[contracts]")
    before = running.cell(address, "Positions").value
    running.write(address, "=1/0", "Positions")
    book = running.cell("F14", "Start")
    assert book.error == CODES["#N/A"]
    assert running.cell("C6", "Start").text == "?  NO ANSWER"
    assert "#DIV/0!" in running.cell("F16", "Start").text
    assert running.cell("F9", "Start").text.startswith("THE BOOK IS REFUSED, see below; 1 errors")
    running.write(address, before, "Positions")
    assert running.cell("F14", "Start").text == cached(template)["Start!F14"]


def test_a_renamed_header_is_named_and_another_word_for_it_is_understood(
    running: Office, template: Path
) -> None:
    running.open(template)
    _, address = place_of("Positions[contracts]", row=0)
    running.write(address, "size of it", "Positions")
    assert running.cell("F14", "Start").error in CODES.values()
    assert "contracts" in running.cell("F16", "Start").text
    running.write(address, "qty", "Positions")
    assert is_same(running.cell("F7", "Summary").value, cached(template)["Summary!F7"])


def test_a_text_never_becomes_a_formula(tmp_path: Path) -> None:
    positions = [
        ["symbol", "contracts", "markPrice", "entryPrice", "leverage"],
        ["=1+1", 1, 100, 90, 20],
        ["@SUM(A1)", "2", 100, 90, 20],
    ]
    tables = {"positions": positions, "collateral": [["currency", "cash"], ["USDC", 900]]}
    path = demo_workbook.write(tmp_path, tables)[0]
    sheet = openpyxl.load_workbook(path)["Positions"]
    found = [
        cell for row in sheet.iter_rows() for cell in row if cell.value in {"=1+1", "@SUM(A1)"}
    ]
    assert len(found) == 2
    assert all(cell.data_type == "s" and cell.quotePrefix for cell in found)
    assert "Positions" not in {place.partition("!")[0] for place in calls(path)}


def test_a_demo_workbook_shows_the_given_book(running: Office, tmp_path: Path) -> None:
    names = ("positions", "collateral", "market", "orders", "history", "limits")
    tables = {name: read_csv(SAMPLES / f"{name}.csv") for name in names}
    orders = Table(tuple(map(str, tables["orders"][0])), tables["orders"][1:])
    made = demo_workbook.write(tmp_path, {**tables, "orders": orders, "summary": orders})
    assert [path.suffix for path in made] == [".xlsx", ".pdf"]
    assert made[1].read_bytes().startswith(b"%PDF")
    ours = cached(made[0])
    assert ours["Start!F10"] == "no venue figures were pasted: nothing to compare"
    theirs = of_libreoffice(running, made[0])
    # a table without an answer shows its error once in the file, in every cell in LibreOffice
    assert differences(ours, theirs) == []


@pytest.mark.parametrize(
    ("tables", "sentence"),
    [
        ({}, "the workbook needs positions"),
        ({"positions": [["symbol", "symbol"], ["a", "b"]]}, "a header of its own, was 'symbol'"),
        ({"positions": "positions.csv"}, "a table must be rows of cells, was 'positions.csv'"),
    ],
)
def test_what_cannot_be_a_workbook_is_refused(
    tmp_path: Path, tables: dict[str, object], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        demo_workbook.write(tmp_path, tables)


def test_a_native_export_keeps_its_own_columns(tmp_path: Path) -> None:
    positions = [
        {"coin": "BTC", "szi": -2, "entryPx": 100, "markPx": 90, "leverage": 20},
        {"coin": "ETH", "szi": 3, "entryPx": 10, "markPx": 9, "leverage": 20},
    ]
    balances = [["currency", "total"], ["USDC", 50]]
    path = demo_workbook.write(tmp_path, {"positions": positions, "collateral": balances})[0]
    book = openpyxl.load_workbook(path)
    names = [column.name for column in book["Positions"].tables["Positions"].tableColumns]
    assert names == ["coin", "szi", "entryPx", "markPx", "leverage"]
    assert [one.name for one in book["Collateral"].tables["Collateral"].tableColumns] == balances[0]
    shown = cached(path)
    assert str(shown["Start!F14"]).startswith("book:")
    assert shown["Summary!F7"] == pytest.approx(2 * 90 / 80 + 3 * 9 / 50)


def test_the_demonstration_fills_the_choices_of_the_option_book(tmp_path: Path) -> None:
    rows = [["symbol", "contracts", "entryPrice", "markPrice"], ["BTCUSDT", 1, 1, 1]]
    given: dict[str, object] = {
        "positions": rows,
        "option_rulebook": Table(("rulebook",), [("paradex-pm",)]),
        "option_as_of": Table(("as_of",), [("2026-01-13T12:00:00Z",)]),
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shutil.which", lambda _name: None)  # the file is enough, no PDF
        (path,) = demo_workbook.write(tmp_path, given)
    sheet = openpyxl.load_workbook(path)["Options"]
    assert sheet["C6"].value == "paradex-pm"
    assert sheet["C7"].value == "2026-01-13T12:00:00Z"


def test_a_worked_book_agrees_by_hand_and_by_the_engine(running: Office, template: Path) -> None:
    running.open(template)
    rows = running.cells("B15:E22", "Worked")
    assert [row[3].text for row in rows] == ["agree"] * 7 + [""]
    assert rows[5][1].value == pytest.approx(99 / 0.996, rel=1e-12)  # of the samples' README
    assert rows[7][1].value == pytest.approx(95 / 0.996, rel=1e-12)
    sheet, address = place_of("HandPositions[markPrice]")
    running.write(address, 101.5, sheet)
    assert [row[3].text for row in running.cells("B15:E21", "Worked")] == ["agree"] * 7


def test_the_accounts_of_the_sheet_are_those_of_the_function(template: Path) -> None:
    held = builder().sample()
    book = functions.book(
        held.account_positions, held.account_rules, collateral=held.account_collateral,
        market=held.account_market, as_of=held.account_as_of,
    )  # fmt: skip
    shown, formulas = cached(template), calls(template)
    ranked = account_functions.account_ranking(book)
    assert_shown(shown, formulas, "=CM_ACCOUNTS(RankedBook,50,RankBy)", ranked)
    struck = account_functions.account_ranking(book, options={"stress": "OCT2025"})
    assert_shown(shown, formulas, "=CM_ACCOUNTS(RankedBook,50,,AccountsStress)", struck)
    assert [len(ranked), len(struck)] == [12, 12]
    assert {"USDE"} <= {str(row[1]) for row in held.account_collateral[1:]}
    assert len({str(row[1]) for row in held.account_rules[1:]}) == 5


def page_one(shown: Shown) -> dict[str, list[Any]]:
    """Return the rows of the sheet Report without what is empty, by the first cell of each."""
    rows: dict[int, list[Any]] = {}
    for place, value in shown.items():
        sheet, _, address = place.partition("!")
        left, top, _, _ = (int(str(bound)) for bound in range_boundaries(address))
        if sheet == "Report" and left <= 37 and value != "":
            rows.setdefault(top, []).append(value)
    return {str(row[0]): row for row in rows.values()}


def test_the_report_says_what_the_functions_say(template: Path) -> None:
    rows = page_one(cached(template))
    held = builder().sample()
    book = functions.book(
        held.positions, held.rulebook, collateral=held.collateral, market=held.market,
        orders=held.orders, as_of=held.as_of,
    )  # fmt: skip
    (account,) = account_functions.account_ranking(book).records()
    (summary,) = functions.summary(book, group_by="account").records()
    line = rows["desk"]
    assert [line[0], line[-1]] == ["desk", account["status"]]
    numbers = [value for value in line if isinstance(value, float | int)]
    money = [account["equity_adjusted"], summary["im"], account["mm"]]
    assert numbers[:3] == [pytest.approx(float(value or 0.0) / 1000.0) for value in money]
    assert numbers[3] == account["usage"]
    sentence = next(text for text in rows if text.startswith("desk is liquidated when"))
    assert str(summary["nearest_trigger"]) in sentence
    action = action_functions.cure(book, target="excess_im=0").records()[0]
    assert f"cheapest now: {action['action']} {action['qty']:.15g} {action['symbol']}" in sentence
    assert rows["RESTRICTED"][1:3] == [account["usage"], account["excess_mm"]]
    assert rows["none"] == ["none", "nothing to report"]
    order = ["suspended", "restricted", "call", "watch"]
    urgent = [next(word for word in row if word in order)
              for name, row in rows.items() if re.fullmatch(r"L\d\d", name)]  # fmt: skip
    assert urgent == sorted(urgent, key=order.index)
    assert len(urgent) == 5


def test_the_report_follows_the_choice_of_its_book(running: Office, template: Path) -> None:
    running.open(template)
    sheet, address = place_of("ReportBook")
    running.write(address, "accounts", sheet)
    top = next(row for row in range(20, 40) if running.cell(f"B{row}", sheet).text == "account")
    names = [running.cell(f"B{top + place}", sheet).text for place in range(1, 13)]
    assert sorted(names) == sorted({row[0] for row in builder().sample().account_rules[1:]})
    assert running.cell("B8", sheet).text.startswith(f"{names[0]}, of the accounts the one with")
    running.write(address, "options", sheet)
    earlier = place_of("EarlierBook")[1]
    assert running.cell("H7", sheet).text == "no earlier book"
    running.write(earlier, "=BookBefore", sheet)
    assert running.cell("H7", sheet).text.startswith("earlier ")
    running.write(place_of("OptionPositions[contracts]")[1], "=1/0", "Options")
    assert running.cell("B6", sheet).text == "NO ANSWER"
    assert running.cell("B8", sheet).text == "no answer: see Checks"
    assert running.cell("B4", sheet).text == "no book: see Start and Checks"


def line_of_the_log(path: Path) -> dict[str, tuple[str, Any]]:
    """Return address and value of the line that is copied into the log, by its headers."""
    rows = list(openpyxl.load_workbook(path, data_only=True)["Log"].iter_rows(min_col=2))
    place = [row[0].value for row in rows].index("asof")
    return {
        str(word.value): (cell.coordinate, cell.value)
        for word, cell in zip(rows[place], rows[place + 1], strict=True)
    }


def test_the_line_of_the_log_has_the_columns_of_its_empty_table() -> None:
    table = openpyxl.load_workbook(TEMPLATE)["Log"].tables["LogRows"]
    assert list(line_of_the_log(TEMPLATE)) == [column.name for column in table.tableColumns]
    left, top, right, bottom = (int(str(bound)) for bound in range_boundaries(table.ref))
    columns = [get_column_letter(column) for column in range(left, right + 1)]
    cells = {f"Log!{letter}{row}" for letter in columns for row in range(top + 1, bottom + 1)}
    assert len(cells) == 11 * 60
    assert not cells & set(cached(TEMPLATE))


def test_the_line_of_the_log_says_what_the_other_sheets_say(template: Path) -> None:
    shown = cached(template)
    line = {name: value for name, (_, value) in line_of_the_log(template).items()}

    def named(name: str) -> object:
        sheet, address = place_of(name)
        return shown[f"{sheet}!{address}"]

    key = str(named("Book")).removeprefix("book:").split("|")
    assert [line["book"], line["rulebook"]] == key[:2]
    names = {
        "asof": "AsOfInUse",
        "equity_adjusted": "Equity",
        "im": "InitialMargin",
        "mm": "MaintenanceMargin",
        "usage": "Usage",
    }
    assert {column: line[column] for column in names} == {
        column: named(name) for column, name in names.items()
    }
    trigger = str(shown["Start!F7"])  # such as SOL 124.5439 (-12.60 %)
    assert f"({line['nearest_pct']:.2%})".replace("%", " %") in trigger
    assert line["first_liquidated"] == shown["Summary!P12"]
    statuses = [value for place, value in shown.items() if re.fullmatch(r"Limits!I1\d", place)]
    assert line["breaches"] == sum(word in {"restricted", "suspended"} for word in statuses) > 0
    assert line["comment"] is None


def test_the_log_follows_the_book_and_leaves_out_what_would_mean_something_else(
    running: Office, template: Path
) -> None:
    line = {name: address for name, (address, _) in line_of_the_log(template).items()}
    running.open(template)
    before = running.cell(line["book"], "Log").text
    _, address = place_of("Positions[contracts]")
    running.write(address, 10.0, "Positions")
    assert running.cell(line["book"], "Log").text not in {before, ""}
    nearest = running.cell(line["nearest_pct"], "Log")
    assert nearest.text.startswith("-")
    sheet, address = place_of("PricePath")
    running.write(address, "together", sheet)
    assert running.cell(line["nearest_pct"], "Log").text == ""
    assert running.cell("B6", "Log").text.startswith("nearest_pct is left empty")


def test_comments_of_the_reconciliation_stand_beside_its_rows_unlocked() -> None:
    rows = list(openpyxl.load_workbook(TEMPLATE, data_only=True)["Recon"].iter_rows(min_col=2))
    place = [row[0].value for row in rows].index("scope")
    assert [cell.value for cell in rows[place]][8:] == ["comment", "owner", "resolved"]
    below = rows[place + 1][8:]
    assert [cell.value for cell in below] == [None] * 3
    assert not any(cell.protection.locked for cell in below)
