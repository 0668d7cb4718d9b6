"""Text from a book is text in every file, cell, line and sentence that crossmargin writes."""

from __future__ import annotations

import ast
import csv
import json
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING
from xml.parsers import expat

import openpyxl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from openpyxl.utils.escape import unescape

import crossmargin
from crossmargin import _cli_show, cli, demo_workbook, frames, registry
from crossmargin._texts import (
    LONGEST_CELL,
    LONGEST_SENTENCE,
    cut,
    for_a_cell,
    guarded,
    unguarded,
    visible,
    well_formed,
)
from crossmargin.cells import SheetError
from crossmargin.errors import TableError
from crossmargin.table import Table
from crossmargin.template.values import ERROR_MARK, Rows, rows_of
from tests.fuzz.blocks import HOSTILE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openpyxl.workbook import Workbook

pytestmark = pytest.mark.filterwarnings("ignore:.*extension is not supported:UserWarning")

SOURCES = Path(crossmargin.__file__).parent
NAMES = [text for text in HOSTILE if text.strip()]
HEADERS = ["=HYPERLINK(1)", "@SUM(1)", "a\x00\nb\tc", "&A&P", "http://x.example", "R1C1", "h" * 400]


def positions(names: list[str], headers: list[str]) -> Rows:
    """Return a table with a position for each name, which is also its account and its remarks."""
    numbers: list[float | str | None] = [1.0, 100.0, 101.0, 10.0]
    return [
        ["symbol", "contracts", "entryPrice", "markPrice", "leverage", "account", *headers],
        ["BTC", *numbers, "main", *["plain"] * len(headers)],
        *[[name, *numbers, name, *[name] * len(headers)] for name in names],
    ]


def written(folder: Path, names: list[str], headers: list[str], word: str) -> Path:
    tables = {
        "positions": positions(names, headers),
        "collateral": [["account", "currency", "cash"], ["main", "USDC", 9e5], [word, "USDC", 1.0]],
        "market": [["underlying", "dailyVol"], ["BTC", 0.02], [word, 0.02]],
        "orders": [["symbol", "side", "amount", "price"], [word, "buy", 1.0, 90.0]],
        "rulebook": "hyperliquid",
        "as_of": word,
        "options": "partial=1",
    }
    return demo_workbook.write(folder, tables)[0]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path]]:
    """Return a workbook of hostile texts and one of harmless texts of the same shape."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo_workbook, "write_pdf", lambda _: [])
        harmless = [f"COIN{number}" for number in range(len(NAMES))]
        yield (
            written(tmp_path_factory.mktemp("hostile"), NAMES, HEADERS, "=1+1\x00\x1b[2J"),
            written(tmp_path_factory.mktemp("harmless"), harmless, [*"abcdefg"], "2026-01-10"),
        )


@pytest.fixture(scope="module")
def hostile(files: tuple[Path, Path]) -> Workbook:
    return openpyxl.load_workbook(files[0])


def formulas(workbook: Workbook) -> set[str]:
    """Return the workbook's formulas without numbers, which depend on how many rows there are."""
    found = set()
    for sheet in workbook:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    text = getattr(cell.value, "text", cell.value)
                    found.add(re.sub(r"\d+", "#", str(text)))
    return found


# --- the workbook -----------------------------------------------------------------------------


def test_no_text_of_a_book_becomes_a_formula(files: tuple[Path, Path], hostile: Workbook) -> None:
    own = formulas(openpyxl.load_workbook(files[1]))
    assert len(own) > 100
    assert formulas(hostile) <= own


def test_no_text_of_a_book_becomes_a_link(hostile: Workbook) -> None:
    cells = (cell for sheet in hostile for row in sheet.iter_rows() for cell in row)
    links = [cell.hyperlink for cell in cells if cell.hyperlink]
    assert links  # the list of sheets is one of links
    assert {link.target for link in links} == {None}
    sheets = {f"'{name}'" for name in hostile.sheetnames}
    assert {str(link.location).partition("!")[0] for link in links} <= sheets


def test_nothing_outside_the_file_is_named_by_it(files: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(files[0]) as archive:
        names = archive.namelist()
        relations = [archive.read(name).decode() for name in names if name.endswith(".rels")]
        assert relations
    assert not any("External" in text for text in relations)
    for word in (
        "externalLink",
        "vbaProject",
        "connections",
        "queryTable",
        "embeddings",
        "comments",
    ):
        assert not [name for name in names if word in name]


def test_every_part_of_the_file_is_well_formed(files: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(files[0]) as archive:
        parts = [(name, archive.read(name)) for name in archive.namelist()]
    assert len(parts) > 50
    for name, content in parts:
        try:
            expat.ParserCreate().Parse(content, True)
        except expat.ExpatError as problem:
            pytest.fail(f"{name}: {problem}")


def test_every_text_stands_on_its_input_sheet_as_it_was(hostile: Workbook) -> None:
    sheet = hostile["Positions"]
    (table,) = sheet.tables.values()
    rows = sheet[table.ref]
    assert [cell.value for cell in rows[0]] == [column.name for column in table.tableColumns]
    expected = [for_a_cell(name) for name in NAMES]
    shown = [row[0].value for row in rows[2 : 2 + len(NAMES)]]
    assert [unescape(str(text)) for text in shown] == expected
    assert {row[0].data_type for row in rows[2 : 2 + len(NAMES)]} == {"s"}


def test_a_text_that_a_person_would_type_as_a_formula_is_marked_as_text(hostile: Workbook) -> None:
    """Without the mark, editing such a cell and pressing return makes it a formula."""
    ((where, place),) = hostile.defined_names["AsOf"].destinations
    sheet, as_of = hostile["Positions"], hostile[where][place]
    (table,) = sheet.tables.values()
    cells = [*(row[0] for row in sheet[table.ref][1:]), as_of]
    risky = [cell for cell in cells if str(cell.value)[:1] in {"=", "+", "-", "@"}]
    assert len(risky) > 5
    assert as_of in risky
    assert all(cell.quotePrefix for cell in risky)


def test_headers_and_footers_hold_no_text_of_a_book(
    files: tuple[Path, Path], hostile: Workbook
) -> None:
    def of(workbook: Workbook) -> list[str | None]:
        return [
            part.text
            for sheet in workbook
            for line in (sheet.oddHeader, sheet.oddFooter, sheet.evenHeader, sheet.firstHeader)
            if line is not None
            for part in (line.left, line.center, line.right)
        ]

    assert len(of(hostile)) >= 6 * len(hostile.sheetnames)
    assert of(hostile) == of(openpyxl.load_workbook(files[1]))
    assert set(hostile.defined_names) == set(openpyxl.load_workbook(files[1]).defined_names)


@pytest.mark.parametrize("cell", [float("nan"), float("inf"), "1e400", 10**400, "nan"])
def test_a_number_that_no_cell_holds_stays_a_text(cell: object) -> None:
    assert rows_of([["contracts"], [cell]])[1] == [str(cell)]


def test_the_mark_of_an_error_cannot_be_pasted() -> None:
    assert rows_of([["symbol"], [f"{ERROR_MARK}#N/A"]])[1] == ["\N{REPLACEMENT CHARACTER}#N/A"]


# --- files of text ----------------------------------------------------------------------------


texts = st.text(st.characters(codec="utf-8"), max_size=20)
risky = st.builds(str.__add__, st.sampled_from([*"=+-@\t|%'", "'=", "''=", " =", "\xa0-"]), texts)


@given(text=st.one_of(texts, risky))
@example("=1+1")
@example("'=1+1")
@example("'''=")
@example("'")
def test_a_guard_is_taken_away_again_and_nothing_else(text: str) -> None:
    assert unguarded(guarded(text)) == text
    assert not guarded(text).lstrip(" \xa0\ufeff").startswith(tuple("=+-@\t\r\n|%"))


@given(rows=st.lists(st.tuples(risky, st.floats(allow_nan=False, allow_infinity=False))))
def test_a_file_of_ours_gives_the_texts_and_numbers_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, float]]
) -> None:
    path = tmp_path_factory.mktemp("csv") / "table.csv"
    # a file of text keeps neither the kind of a line's end nor the empty cell of an empty text
    rows = [(re.sub(r"\r\n?", "\n", text), number) for text, number in rows]
    _cli_show.write_csv(Table(("=symbol", "pnl"), rows), path)
    read = frames.read_file(path)
    assert read.columns == ["=symbol", "pnl"]
    assert [(text, float(number)) for text, number in read.rows()] == rows


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_symbol_in_a_file_is_a_text_and_a_number_a_number(
    tmp_path: Path, text: str
) -> None:
    path = tmp_path / "table.csv"
    _cli_show.write_csv(Table(("symbol", "pnl"), [(text, -1.5)]), path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        last = file.read().rpartition(",")[2]
    assert last == "-1.5\r\n"
    with path.open(encoding="utf-8-sig", newline="") as file:
        cells = [cell for line in csv.reader(file) for cell in line]
    assert cells[:2] == ["symbol", "pnl"]
    assert not re.match(r"\s*[=+@\t\r\n|%]", cells[2])


# --- sentences and cells ----------------------------------------------------------------------


@given(st.text())
@example("\ud800")
@example("a\u202eb")
def test_what_is_shown_prints(text: str) -> None:
    assert visible(text).isprintable()
    assert visible(visible(text)) == visible(text)


@given(st.text(max_size=40), st.integers(1, 20))
@example("😀" * 20, 5)
def test_a_cut_text_fits(text: str, longest: int) -> None:
    found = cut(text, longest)
    units = len(found.encode("utf-16-le", "surrogatepass")) // 2
    assert units <= longest
    assert found == text or found.endswith("\N{HORIZONTAL ELLIPSIS}")


@given(st.text())
@example("\ud83d\ude00")
@example("x\ud83d")
def test_well_formed_text_can_be_written(text: str) -> None:
    well_formed(text).encode()
    assert well_formed("\ud83d\ude00") == "😀"


@pytest.mark.parametrize("text", HOSTILE)
def test_a_refusal_is_one_short_line_that_prints(text: str) -> None:
    table = [["symbol", "contracts", "entryPrice", "markPrice"], [text, text, 1.0, text]]
    answer = registry.call("CM_BOOK", [table, "hyperliquid"])
    assert isinstance(answer, SheetError)
    assert answer.reason.isprintable()
    assert 0 < len(answer.reason) <= LONGEST_SENTENCE
    assert "defect" not in answer.reason


@pytest.mark.parametrize("text", ["x" * 40_000, "😀" * 20_000, "\ud800" * 3])
def test_an_answer_holds_no_text_that_no_cell_holds(text: str) -> None:
    rows = [["symbol", "contracts"], [text, 1.0]]
    answer = registry.call("CM_CHECK", [rows, "columns", "positions"])
    assert isinstance(answer, list)
    issues = registry.call("CM_CHECK", [rows, "issues", "positions"])
    assert isinstance(issues, list)
    for row in [*answer, *issues]:
        for cell in row:
            assert not isinstance(cell, str) or len(cell.encode("utf-16-le")) // 2 <= LONGEST_CELL


@pytest.mark.parametrize("text", [t for t in HOSTILE if t.strip() and "\ud800" not in t])
def test_the_terminal_shows_a_symbol_and_obeys_none(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str
) -> None:
    path = tmp_path / "positions.csv"
    row = [text, "1", "100", "x\x1b[2J"]
    header = ["symbol", "contracts", "entryPrice", "markPrice"]
    _cli_show.write_csv(Table(tuple(header), [row]), path)
    for command in (
        ["check", str(path)],
        ["summary", "--positions", str(path), "--rulebook", text],
    ):
        cli.main(command)
        out, err = capsys.readouterr()
        assert (out + err).strip()
        assert all(line.isprintable() for line in (out + err).split("\n"))


def test_json_of_the_terminal_is_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    _cli_show.print_json(Table(("symbol",), [("\x1b[2J\u202e\x9b",)]))
    out = capsys.readouterr().out
    assert out.isascii()
    assert out.replace("\n", "").isprintable()
    assert json.loads(out) == [{"symbol": "\x1b[2J\u202e\x9b"}]


def test_a_lone_surrogate_from_a_host_is_a_replaced_character_and_no_defect() -> None:
    answer = registry.call("CM_MM", ["book:\ud800"])
    assert isinstance(answer, SheetError)
    assert "defect" not in answer.reason
    rows = [["symbol", "contracts"], ["BTC\ud800", 1.0]]
    assert isinstance(registry.call("CM_CHECK", [rows]), list)


def test_two_columns_of_one_name_are_a_refusal_in_words() -> None:
    key = registry.call(
        "CM_BOOK", [positions([], []), "hyperliquid", [["currency", "cash"], ["USDC", 9.0]]]
    )
    answer = registry.call("CM_LIQMAP", [key, "BTC", "VOL", [[0.1, 0.1]]])
    assert isinstance(answer, SheetError)
    assert answer.reason.startswith("two columns of the answer would be called '+10 %'")
    with pytest.raises(TableError):
        crossmargin.functions.liquidation_map(
            crossmargin.functions.book(positions([], []), "hyperliquid"), "BTC", x_moves=[0.1, 0.1]
        )


@pytest.mark.parametrize(
    "name", [r"\\evil\share\a.toml", "//evil/share/a.toml", r" \/evil/a.csv", "//evil/custom"]
)
def test_no_file_is_fetched_from_another_machine(name: str) -> None:
    rows = positions([], [])
    for rulebook in (name, [["account", "rulebook"], ["main", name]]):
        answer = registry.call("CM_BOOK", [rows, rulebook])
        assert isinstance(answer, SheetError)
        assert answer.reason.startswith("a rulebook file must be on this machine"), answer.reason
    options = f"history={name}.csv"
    answer = registry.call("CM_BOOK", [rows, "hyperliquid", None, None, None, None, options])
    assert isinstance(answer, SheetError)
    assert answer.reason.startswith("a history file must be on this machine"), answer.reason
    for function in ("CM_RULEBOOKS", "CM_RULEDIFF"):
        answer = registry.call(function, [name, "custom"][: 1 + (function == "CM_RULEDIFF")])
        assert isinstance(answer, SheetError)
        assert "must be on this machine" in answer.reason


# --- our own sources --------------------------------------------------------------------------


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


EVALUATING = {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "builtins.eval"}
UNPACKING = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "yaml"}


def test_our_sources_evaluate_no_text_and_unpack_no_objects() -> None:
    files = sorted(SOURCES.rglob("*.py"))
    assert len(files) > 50
    for path in files:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for call in _calls(tree):
            assert _dotted(call.func) not in EVALUATING, f"{path}:{call.lineno}"
            shell = [word.value for word in call.keywords if word.arg == "shell"]
            assert not shell, f"{path}:{call.lineno} starts a shell"
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            assert not {name.partition(".")[0] for name in names} & UNPACKING, path
