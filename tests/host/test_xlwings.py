"""The way through Excel: xlwings' own pipeline, with pywin32 and the VBA side stood in for.

Everything runs in processes of its own: the stand-in for pywin32 must not leak into other tests.
"""

from __future__ import annotations

import datetime as dt
import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from crossmargin.hosts import excel
from tests.host import harness, sample_registry

ROOT = Path(__file__).parents[2]
SAMPLE = "tests.host.sample_registry"
# the functions of the product too, as soon as there are any
REGISTRIES = [SAMPLE, *([None] if importlib.util.find_spec("crossmargin.functions") else [])]
NOT_OURS = re.compile(
    r"xlwings\s*\.\s*(pro|server|reports)\b"
    r"|from\s+xlwings\s+import[^\n]*\b(pro|server|reports)\b"
    r"|LICENSE_KEY|XLWINGS_ON_SERVER"
)
NA, VALUE, NUM = ({"error": sign} for sign in ("#N/A", "#VALUE!", "#NUM!"))


def run(*arguments: str) -> Any:
    """Return what ``python -W error ARGUMENTS`` prints, read as JSON."""
    paths = [str(ROOT), str(ROOT / "python"), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    # openpyxl and XlsxWriter call datetime.utcnow, which newer Pythons deprecate
    options = ["-W", "error", "-W", "ignore:datetime:DeprecationWarning"]
    done = subprocess.run(
        [sys.executable, *options, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


ARRAY_FORMULAS = {
    "A20:C21": "=CM_TABLE(1)",
    "E20:G24": "=CM_TABLE(2)",
    "I20:K20": '=CM_ANSWERS("errors")',
    "I22:M22": '=CM_ANSWERS("no answer")',
    "I24:J25": '=CM_ANSWERS("jagged")',
    "I27:I27": '=CM_ANSWERS("nothing")',
    "O20:O21": "=CM_TABLE(1)",
}
FORMULAS = {
    "E1": "=CM_ECHO(A1:C3)",
    "E2": '=CM_ECHO(A1:C3,,"x")',
    "E3": "=CM_ECHO(B2)",
    "E4": "=CM_ECHO(Other!A:B)",
    "E5": "=CM_ECHO({1,2,3},-0.5,TRUE)",
    "E6": '=CM_ECHO({1,"a";2,#N/A})',
    "E7": "=CM_ECHO(A10)",
    "E8": "=CM_ECHO(Rows[#All],Half)",
    "E9": "=CM_ECHO(Rows[qty],D1)",
    "F1": '=CM_FAIL("error")',
    "F2": '=CM_FAIL("panic")',
    "F3": "=CM_STAMP()",
    "F4": "=CM_DOUBLE(Book,21)",
    "F5": '=CM_BOOK(Rows[#All],"deribit-spm")',
    "F6": "=CM_DOUBLE(A1,21)",
    "F7": '=CM_ANSWERS("none")',
    "F8": '=CM_ANSWERS("blank")',
    "F9": '=CM_ANSWERS("marker")',
    "F10": '=CM_ANSWERS("text")',
    "F11": "=CM_WHY(F4)",
    "F12": '=CM_WHY(Book,"stamp")',
    "F13": "=CM_WHY(A1:B1)",
    "F14": "=CM_UNKNOWN(1)",
    "F15": "=CM_ECHO(_xlfn.ANCHORARRAY(E20))",
    "F16": '=CM_ANSWERS("long")',
    "F17": "=CM_ECHO(Other!Z:Z)",
    "F18": "=CM_WHY(D1)",
}


def write_sample(path: Path, without: frozenset[str] = frozenset()) -> Path:
    """Write a workbook with one of each thing that an argument or an answer can be."""
    book = xlsxwriter.Workbook(path)
    sheet, other = book.add_worksheet("Main"), book.add_worksheet("Other")
    sheet.write_row("A1", ["symbol", "qty", "when"])
    sheet.write_row("A2", ["BTC", 1.5])
    date = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
    sheet.write_datetime("C2", dt.datetime(2026, 2, 15, 12), date)  # noqa: DTZ001 - a sheet's
    sheet.write("A3", "#N/A")  # a text that looks like an error
    sheet.write_formula("B3", "=1/0", None, "#DIV/0!")
    sheet.write_boolean("C3", True)
    sheet.write_formula("D1", "=2*2", None, 4)
    sheet.add_table("H1:I3", {"name": "Rows", "columns": [{"header": "symbol"}, {"header": "qty"}]})
    sheet.write_row("H2", ["ETH", 2])
    sheet.write_row("H3", ["SOL", -3])
    other.write("A3", 7)
    other.write("B5", "end")
    book.define_name("Book", "=Main!$F$5")
    book.define_name("Half", "=0.5")
    for cell in FORMULAS.keys() - without:
        formula = FORMULAS[cell]
        sheet.write_dynamic_array_formula(f"{cell}:{cell}", formula)
    for area, formula in ARRAY_FORMULAS.items():
        sheet.write_dynamic_array_formula(area, formula)
    sheet.write("P21", "in the way")
    sheet.write_formula("Q20", "=CM_TABLE(3)")
    book.close()
    return path


@pytest.fixture(scope="module")
def workbook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a workbook with one of each thing that an argument or an answer can be."""
    return write_sample(tmp_path_factory.mktemp("xlwings") / "sample.xlsx")


@pytest.fixture(scope="module")
def shown(workbook: Path) -> dict[str, Any]:
    """Return what the cells of sheet Main show."""
    answer = run("-m", "tests.host.harness", str(workbook), "--json", "--registry", SAMPLE)
    return {key.removeprefix("Main!"): value for key, value in answer.items()}


def received(shown: dict[str, Any], cell: str) -> Any:
    return json.loads(shown[cell])


def test_a_block_arrives_with_serials_and_the_names_of_its_errors(shown: dict[str, Any]) -> None:
    rows, number, options = received(shown, "E1")
    assert rows == [["symbol", "qty", "when"], ["BTC", 1.5, 46068.5], ["#N/A", "#DIV/0!", True]]
    assert number is None
    assert options is None


def test_a_skipped_argument_is_left_out_and_the_next_one_arrives(shown: dict[str, Any]) -> None:
    assert received(shown, "E2")[1:] == [None, "x"]


def test_an_empty_cell_is_no_argument(shown: dict[str, Any]) -> None:
    assert received(shown, "E7") == [None, None, None]


def test_a_single_cell_arrives_as_a_scalar(shown: dict[str, Any]) -> None:
    assert received(shown, "E3") == [1.5, None, None]


def test_a_whole_column_is_cut_after_the_last_used_cell(shown: dict[str, Any]) -> None:
    rows = received(shown, "E4")[0]
    assert rows == [[None, None], [None, None], [7.0, None], [None, None], [None, "end"]]
    assert received(shown, "F17")[0] is None


def test_constants_and_literals_arrive(shown: dict[str, Any]) -> None:
    assert received(shown, "E5") == [[[1.0, 2.0, 3.0]], -0.5, True]
    assert received(shown, "E6")[0] == [[1.0, "a"], [2.0, "#N/A"]]


def test_tables_names_and_cached_formulas_are_resolved(shown: dict[str, Any]) -> None:
    assert received(shown, "E8")[:2] == [[["symbol", "qty"], ["ETH", 2.0], ["SOL", -3.0]], 0.5]
    assert received(shown, "E9")[:2] == [[[2.0], [-3.0]], 4.0]


def test_a_call_comes_after_the_calls_that_it_reads(shown: dict[str, Any]) -> None:
    assert shown["F5"] == "book:3|deribit-spm"
    assert shown["F4"] == 42.0
    assert received(shown, "F15")[0] == [["symbol", "qty", "status"], ["S0", 0, ""], ["S1", 1, ""]]


def test_an_error_is_an_error_value_and_a_text_stays_a_text(shown: dict[str, Any]) -> None:
    assert [shown[cell] for cell in ("I20", "J20", "K20")] == [NA, VALUE, NUM]
    assert shown["F6"] == VALUE
    assert shown["F10"] == "#N/A"
    assert shown["F9"] == "\ufffd#N/A", "a marker that somebody pasted is no error"


def test_what_is_no_answer_never_looks_like_one(shown: dict[str, Any]) -> None:
    assert [shown[cell] for cell in ("I22", "J22", "K22", "L22", "M22")] == [NA, NA, NUM, True, 3.0]
    assert [shown[cell] for cell in ("F7", "F8", "I27")] == [NA, NA, NA]
    assert [shown[cell] for cell in ("I24", "J24", "I25", "J25")] == ["a", "b", 1.0, NA]
    assert len(shown["F16"]) == 32767


def test_a_failure_is_an_error_value_and_no_traceback_is_shown(shown: dict[str, Any]) -> None:
    assert shown["F1"] == VALUE
    assert shown["F2"] == VALUE
    assert shown["F14"] == {"error": "#NAME?"}
    texts = [value for value in shown.values() if isinstance(value, str)]
    assert len(texts) > 20
    assert not [text for text in texts if "Traceback" in text or "secret" in text]


def test_a_cell_that_is_asked_about_sends_its_formula(shown: dict[str, Any]) -> None:
    content, topic = received(shown, "F11")
    assert content["formula"] == "=CM_DOUBLE(Book,21)"
    assert content["value"] == 42.0
    assert content["arguments"] == ["book:3|deribit-spm", 21.0]
    assert topic is None
    content, topic = received(shown, "F12")
    assert content["value"] == "book:3|deribit-spm"
    table = [["symbol", "qty"], ["ETH", 2.0], ["SOL", -3.0]]
    assert content["arguments"] == [table, "deribit-spm"]
    assert topic == "stamp"
    content = received(shown, "F18")[0]
    assert content == {"value": 4.0, "formula": "=2*2", "arguments": None}
    assert received(shown, "F13") == [[["symbol", "qty"]], None]


def test_a_table_spills_to_its_own_size(shown: dict[str, Any]) -> None:
    assert [shown[cell] for cell in ("A20", "C20", "A21", "B21")] == ["symbol", "status", "S0", 0.0]
    assert "E23" not in shown
    assert shown["O20"] == {"error": "#SPILL!"}
    assert shown["Q20"] == "symbol", "a plain formula keeps the first cell only"


def test_range_objects_lead_to_the_same_answers(tmp_path: Path, shown: dict[str, Any]) -> None:
    """Wrappers made by xlwings itself hand over ranges; only what CmArg and CmCell add differs."""
    whole_columns_and_cells = frozenset({"E4", "F11", "F12", "F17", "F18"})
    source = write_sample(tmp_path / "sample.xlsx", without=whole_columns_and_cells)
    answer = run(
        "-m", "tests.host.harness", str(source), "--json", "--registry", SAMPLE, "--ranges"
    )
    theirs = {key.removeprefix("Main!"): value for key, value in answer.items()}
    assert theirs == {key: shown[key] for key in shown if key not in whole_columns_and_cells}


def test_a_formula_with_more_than_one_call_is_refused(tmp_path: Path) -> None:
    book = xlsxwriter.Workbook(tmp_path / "two.xlsx")
    book.add_worksheet().write_formula("A1", "=CM_STAMP()&CM_STAMP()")
    book.close()
    with pytest.raises(RuntimeError, match=r"Sheet1!A1: .* is more than one call"):
        harness.calculate_in_subprocess(tmp_path / "two.xlsx", SAMPLE)


@pytest.mark.parametrize("registry", REGISTRIES)
@pytest.mark.parametrize("book", ["book.xlsm", "book.xlam"])
def test_our_wrappers_call_as_those_of_xlwings(book: str, registry: str | None) -> None:
    chosen = ["--registry", registry] if registry else []
    modules = run("-m", "tests.host.harness", book, "--vba", "--json", *chosen)
    ours, theirs = vba_lines(modules["ours"]), vba_lines(modules["theirs"])
    assert len(ours) > 15
    assert ours == theirs
    assert ("ActiveWorkbook" in modules["ours"]) == book.endswith(".xlam")
    assert "Err.Description\n" not in modules["ours"].replace('": " & Err.Description', "")


def test_the_vba_module_is_text_that_vba_can_hold() -> None:
    text = excel.vba_module(sample_registry)
    assert text.encode("cp1252")
    assert max(map(len, text.splitlines())) < 1023
    assert 'VB_Description = "Says ""what"" it received \u2014 in one line."' in text
    for sign, code in (("#N/A", 2042), ("#VALUE!", 2015), ("#NUM!", 2036)):
        assert f'Case "{sign}": CmValue = CVErr({code})' in text
    assert "ChrW$(&HE0C3)" in text


def test_every_error_code_of_com_is_an_error_and_never_a_number() -> None:
    codes = range(-2146826288, -2146826200)
    assert all(str(excel.from_excel(code)).startswith("#") for code in codes)
    assert excel.from_excel(-2146826238) == "#CALC!"
    assert excel.from_excel(-5) == -5.0
    assert excel.from_excel(((1.0, -2146826246),)) == [[1.0, "#N/A"]]


def test_the_host_does_not_import_xlwings() -> None:
    assert (
        run("-c", "import crossmargin.hosts.excel, sys; print(int('xlwings' in sys.modules))") == 0
    )


def test_only_the_bsd_part_of_xlwings_is_used() -> None:
    state = run("-m", "tests.host.harness", "book.xlsm", "--vba", "--json", "--registry", SAMPLE)
    assert state["pro"] is False
    assert state["version"] == "0.37.8"
    assert "XLWINGS_LICENSE_KEY" not in os.environ
    folders = [ROOT / "python", ROOT / "workbook", ROOT / "tests" / "host"]
    files = [file for folder in folders for file in folder.rglob("*.py") if file != Path(__file__)]
    texts = {str(file): file.read_text(encoding="utf-8") for file in files}
    texts["generated .xlsm"] = state["ours"]
    texts["generated .xlam"] = excel.vba_module(sample_registry, addin=True)
    assert len(texts) > 8
    assert not [name for name, text in texts.items() if NOT_OURS.search(text)]
    assert NOT_OURS.search("import xlwings.pro"), "the pattern finds what it looks for"


def vba_lines(module: str) -> list[str]:
    """Return signatures and calls, without what ours add to them."""
    found = []
    for line in module.splitlines():
        text = line.strip()
        if text.startswith("Function CM_") or ("XLPy.CallUDF(" in text and "Caller)" in text):
            text = re.sub(r"Cm(?:Arg|Cell)\((\w+)\)", r"\1", text)
            found.append(re.sub(r"CmResult\((.*)\)$", r"\1", text))
    return sorted(found)
