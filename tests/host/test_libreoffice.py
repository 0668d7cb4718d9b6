"""The add-in in a real LibreOffice: a fresh profile, formulas from .xlsx, live edits, errors."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
import xlsxwriter

from crossmargin import books, registry
from crossmargin.hosts import libreoffice
from crossmargin.hosts.libreoffice_cells import split_arguments
from tests.host import office
from tests.host.office import CODES, Content, Office

if TYPE_CHECKING:
    from collections.abc import Generator

SAMPLE = Path(__file__).with_name("sample_functions.py")
POSITIONS: list[list[float | str]] = [
    ["symbol", "qty", "mark"],
    ["BTC", 3.0, 60_000.0],
    ["ETH", 4.0, 3_000.0],
]


@pytest.fixture(scope="module")
def sample() -> Generator[dict[str, bytes]]:
    """Register the sample functions here, and give their file for the add-in."""
    before = dict(registry._records)
    specification = importlib.util.spec_from_file_location("sample_functions", SAMPLE)
    assert specification
    assert specification.loader
    module = importlib.util.module_from_spec(specification)
    sys.modules["sample_functions"] = module
    specification.loader.exec_module(module)
    yield {"sample_functions.py": SAMPLE.read_bytes()}
    del sys.modules["sample_functions"]
    registry._records.clear()
    registry._records.update(before)
    books.clear()


@pytest.fixture(scope="module")
def addin(sample: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("addin") / "crossmargin.oxt"
    return libreoffice.build(path, functions="sample_functions", sources=sample)


@pytest.fixture(scope="module")
def running(addin: Path, tmp_path_factory: pytest.TempPathFactory) -> Generator[Office]:
    reason = office.missing()
    if reason:
        pytest.skip(reason)
    with Office(tmp_path_factory.mktemp("office"), addin) as started:
        yield started


@pytest.fixture
def sheet(running: Office) -> Office:
    """Return the office with a new spreadsheet: positions in A1:C3, the book's key in E1."""
    running.open()
    for row, values in enumerate(POSITIONS, start=1):
        for column, value in zip("ABC", values, strict=True):
            running.write(f"{column}{row}", value)
    running.write("E1", '=CM_SAMPLEBOOK(A1:C3;"linear")')
    return running


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """Return an .xlsx with a table, names and formulas, as a template is written."""
    path = tmp_path / "template.xlsx"
    with xlsxwriter.Workbook(path, {"use_future_functions": True}) as workbook:
        inputs: Any = workbook.add_worksheet("Positions")
        inputs.add_table(
            "A1:C3",
            {
                "name": "Positions",
                "data": POSITIONS[1:],
                "columns": [{"header": name} for name in POSITIONS[0]],
            },
        )
        results: Any = workbook.add_worksheet("Results")
        workbook.define_name("Book", "=Results!$B$1")
        formulas = {
            "B1": '=CM_SAMPLEBOOK(Positions[#All],"linear")',
            "B2": "=CM_SAMPLETOTAL(Book)",
            "B3": "=CM_SAMPLETOTAL(Book,,B9)",
            "B4": '=CM_SAMPLETOTAL(Book,,"unknown")',
            "B5": "=CM_SAMPLEWHY(B4)",
            "B6": "=CM_SAMPLEWHY(B1)",
        }
        for address, formula in formulas.items():
            results.write_dynamic_array_formula(f"{address}:{address}", formula)
        results.write_dynamic_array_formula("D1:F8", "=CM_SAMPLETABLE(Book)")
    return path


def shows_error(content: Content, sign: str) -> bool:
    return content.error == CODES[sign] and content.text == sign


def reason(started: Office, address: str) -> str:
    """Return what the sample's `why` says about a cell."""
    content = started.answer(f"=CM_SAMPLEWHY({address})", address="Y40")
    assert content.error == 0
    return content.text


def test_the_same_registry_gives_the_same_bytes(
    addin: Path, sample: dict[str, bytes], tmp_path: Path
) -> None:
    again = libreoffice.build(tmp_path / "again.oxt", functions="sample_functions", sources=sample)
    assert again.read_bytes() == addin.read_bytes()


def test_only_required_ranges_are_declared_as_references(sample: dict[str, bytes]) -> None:
    assert sample
    text = libreoffice.interface(registry.records("sample_functions"))
    assert (
        "any cmSamplebook([in] com::sun::star::table::XCellRange positions, [in] any rulebook, "
        "[in] any collateral, [in] any options);" in text
    )
    assert "sequence< sequence< any > > cmSampletable([in] any book, [in] any moves);" in text
    assert "any asOf" in text


def test_help_texts_are_escaped(sample: dict[str, bytes]) -> None:
    assert sample
    text = libreoffice.configuration(registry.records("sample_functions"))
    assert "Key of a book." in text
    assert "& always" not in text


def test_arguments_are_split_outside_quotes_and_brackets() -> None:
    text = 'Positions[[#All];[qty]];"a;b""c;";;{1;2};\'x;y\'.A1'
    assert list(split_arguments(text)) == [
        "Positions[[#All];[qty]]",
        '"a;b""c;"',
        "",
        "{1;2}",
        "'x;y'.A1",
    ]
    assert list(split_arguments("")) == []


def test_help_knows_functions_and_arguments(sheet: Office) -> None:
    known = sheet.do("functions")
    assert known["CM_SAMPLEBOOK"] == ["positions", "rulebook", "[collateral]", "[options]"]
    assert known["CM_SAMPLETOTAL"] == ["book", "[shock]", "[scope]", "[as_of]"]


def test_formulas_of_an_xlsx_are_calculated(running: Office, template: Path) -> None:
    running.open(template)
    running.do("recalculate")
    assert running.cell("B1", "Results").value == "book:7|linear|{}"
    assert running.cell("B2", "Results").value == 14.0
    assert running.cell("B3", "Results").value == 14.0  # an empty cell for a text is left out
    assert shows_error(running.cell("B4", "Results"), "#VALUE!")
    assert running.cell("B5", "Results").text == "#VALUE!: scope must be all, was 'unknown'"
    assert running.cell("B6", "Results").text.endswith("is book:7|linear|{}")


def test_a_live_edit_of_an_input_reaches_every_result(running: Office, template: Path) -> None:
    running.open(template)
    running.do("recalculate")
    running.write("B3", 10.0, "Positions")
    assert running.cell("B1", "Results").value == "book:13|linear|{}"
    assert running.cell("B2", "Results").value == 26.0


def test_an_exported_xlsx_keeps_names_and_errors(
    running: Office, template: Path, tmp_path: Path
) -> None:
    running.open(template)
    running.do("recalculate")
    target = tmp_path / "stored.xlsx"
    running.do("store", path=str(target))
    values = openpyxl.load_workbook(target, data_only=True)["Results"]
    assert values["B2"].value == 14
    assert values["B4"].value == "#VALUE!"
    assert values["B4"].data_type == "e"
    assert values["E3"].value == "#N/A"
    assert values["E4"].value == "#NUM!"
    formulas = openpyxl.load_workbook(target)["Results"]
    assert "CM_SAMPLETOTAL(" in formulas["B2"].value.text


def test_a_table_fills_its_range_with_real_errors(sheet: Office) -> None:
    sheet.do("write_array", sheet="Sheet1", address="G1:J6", formula='=CM_SAMPLETABLE(E1;"1;2.5")')
    rows = sheet.cells("G1:J6")
    assert [cell.text for cell in rows[0][:3]] == ["name", "value", "status"]
    assert rows[2][1].value == 17.5
    assert rows[3][0].text == "=1+1"  # text stays text
    assert shows_error(rows[3][1], "#N/A")
    assert shows_error(rows[4][1], "#NUM!")
    assert shows_error(rows[1][3], "#N/A")  # beyond the table
    assert shows_error(sheet.answer("=SUM(H2:H4)"), "#N/A")  # no total looks fine by chance
    assert sheet.answer("=ISNA(H4)").value == 1.0


def test_a_function_of_either_shape_gives_one_number_or_a_table(sheet: Office) -> None:
    assert sheet.answer('=CM_SAMPLEEITHER(E1;"BTC")+1').value == 8.0
    assert sheet.answer("=INDEX(CM_SAMPLEEITHER(E1);2;2)").value == 7.0


@pytest.mark.parametrize(
    ("formula", "sign"),
    [
        ("=CM_SAMPLETOTAL(E1;0)", "#NUM!"),
        ('=CM_SAMPLETOTAL(E1;"2")', "#VALUE!"),
        ('=CM_SAMPLETOTAL(E1;;"none")', "#N/A"),
        ('=CM_SAMPLETOTAL(E1;;"nan")', "#NUM!"),
        ('=CM_SAMPLETOTAL(E1;;"panic")', "#VALUE!"),
        ("=CM_SAMPLETOTAL(F30)", "#VALUE!"),
        ('=CM_SAMPLETOTAL("book:unknown")', "#N/A"),
    ],
)
def test_a_refusal_is_a_real_error(sheet: Office, formula: str, sign: str) -> None:
    content = sheet.answer(formula, address="H20")
    assert shows_error(content, sign)
    assert sheet.answer("=ISERROR(H20)").value == 1.0
    assert sheet.answer('=IFERROR(H20;"caught")').text == "caught"
    assert reason(sheet, "H20").startswith(f"{sign}: ")


def test_an_error_cell_in_a_block_gives_a_named_reason(sheet: Office) -> None:
    sheet.write("B3", "=1/0")
    assert shows_error(sheet.cell("E1"), "#N/A")
    assert reason(sheet, "E1") == "#N/A: row 3, qty: #DIV/0!"
    assert shows_error(sheet.answer("=CM_SAMPLETOTAL(E1)"), "#N/A")


def test_an_error_cell_in_an_optional_block_is_an_error_and_explained(sheet: Office) -> None:
    sheet.write("B3", "=NA()")
    sheet.write("H20", '=CM_SAMPLEBOOK(A1:C2;"linear";A1:C3)')
    assert sheet.cell("H20").error == 504  # LibreOffice itself refuses before it asks us
    assert reason(sheet, "H20") == "#N/A: row 3, qty: #N/A"


def test_a_renamed_header_is_an_error_with_a_reason(sheet: Office) -> None:
    sheet.write("B1", "how many")
    assert shows_error(sheet.cell("E1"), "#VALUE!")
    assert reason(sheet, "E1") == (
        "#VALUE!: positions need a column named 'qty'; found symbol, how many, mark"
    )


def test_whole_columns_are_cut_to_the_used_area(sheet: Office) -> None:
    assert sheet.answer('=CM_SAMPLEBOOK(A:C;"linear")').value == "book:7|linear|{}"


def test_whole_columns_for_an_optional_block_count_their_rows_only(sheet: Office) -> None:
    assert sheet.answer('=CM_SAMPLEBOOK(A1:C3;"linear";A:C)').value == "book:14|linear|{}"


def test_a_pdf_is_drawn(running: Office, template: Path, tmp_path: Path) -> None:
    running.open(template)
    running.do("recalculate")
    running.do("store", path=str(tmp_path / "stored.pdf"))
    assert (tmp_path / "stored.pdf").read_bytes().startswith(b"%PDF")


def test_every_function_of_the_product_is_known_to_help(tmp_path: Path) -> None:
    if importlib.util.find_spec(registry.FUNCTIONS_MODULE) is None:
        pytest.skip(f"{registry.FUNCTIONS_MODULE} is not written yet")
    reason = office.missing()
    if reason:
        pytest.skip(reason)
    with Office(tmp_path, libreoffice.build(tmp_path / "crossmargin.oxt")) as started:
        started.open()
        known = started.do("functions")
        assert list(known) != []
        for record in registry.records():
            names = [f"[{a.name}]" if a.optional else a.name for a in record.arguments]
            assert known.pop(record.sheet_name) == names
        assert known == {}


@pytest.mark.parametrize("arguments", ['A1:C3;"linear"', 'A1:C3;"linear";;', 'A1:C3;"linear";X9'])
def test_a_left_out_or_empty_optional_argument_takes_its_default(
    sheet: Office, arguments: str
) -> None:
    assert sheet.answer(f"=CM_SAMPLEBOOK({arguments})").value == "book:7|linear|{}"


def test_a_literal_or_a_range_may_stand_for_the_same_argument(sheet: Office) -> None:
    sheet.write("L1", "main")
    sheet.write("M1", "linear")
    sheet.write("L2", "other")
    sheet.write("M2", "inverse")
    assert sheet.answer("=CM_SAMPLEBOOK(A1:C3;L1:M2)").value == "book:7|several|{}"
    assert sheet.answer("=CM_SAMPLEBOOK(A1:C3;M1)").value == "book:7|linear|{}"


def test_options_come_as_text_or_as_two_columns(sheet: Office) -> None:
    sheet.write("L1", "Partial")
    sheet.write("M1", 1)
    expected = "book:7|x|{'partial': '1'}"
    assert sheet.answer('=CM_SAMPLEBOOK(A1:C3;"x";;L1:M1)').value == expected
    assert sheet.answer('=CM_SAMPLEBOOK(A1:C3;"x";;"partial = 1")').value == expected


def test_a_formula_with_names_and_sheets_is_resolved(sheet: Office) -> None:
    sheet.do("name", name="Book", sheet="Sheet1", address="E1")
    sheet.write("H20", '=CM_SAMPLETOTAL(Book;$Sheet1.B2;"none")')
    assert reason(sheet, "H20") == "#N/A: no answer exists for these arguments"


def test_a_range_object_shows_values_and_errors(sheet: Office) -> None:
    sheet.write("C3", "=NA()")
    assert reason(sheet, "B2:C3") == "value ((3.0, 60000.0), (4.0, '#N/A'))"
    assert reason(sheet, "A2") == "value 'BTC'"
