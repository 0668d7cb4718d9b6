"""The VBA that we write is run: LibreOffice imports it from the file and executes it.

What LibreOffice does not have stands in: the call that would reach Python is answered in VBA; the
wrappers' question whether a cell called is taken out, since `Application.Caller` is empty there; an
optional text that is left out has no value there, so it is given. An error value made by VBA shows
there as a text such as `Error 2042`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import xlsxwriter

from crossmargin.hosts import excel, excel_macros, vba_project, xlwings_runtime
from tests.host import office, sample_registry
from tests.host.office import Office

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from tests.host.office import Content

STAND_IN = """Attribute VB_Name = "stand_in"
Function Answered(module, name, arguments, book, caller)
    Dim shown(0 To 1, 0 To 2) As Variant
    If name = "CM_FAIL" Then Err.Raise 1000, , "no Python"
    If name <> "CM_TABLE" Then
        Answered = module & " " & name & " " & Described(arguments(0))
        Exit Function
    End If
    shown(0, 0) = "symbol"
    shown(0, 1) = ChrW$(&HE0C3) & "#N/A"
    shown(0, 2) = ChrW$(&HE0C3) & "#NUM!"
    shown(1, 0) = 1.5
    shown(1, 1) = ChrW$(&HE0C3) & "#VALUE!"
    shown(1, 2) = "#N/A"
    Answered = shown
End Function

Function Described(v)
    If Not IsArray(v) Then
        Described = TypeName(v) & " " & v
    Else
        Described = UBound(v, 1) & "x" & UBound(v, 2) & " " & v(1, 1) & " " & v(UBound(v, 1), 1)
    End If
End Function

Function ProbeCommand()
    ProbeCommand = XLPyCommand()
End Function

Function ProbeConfig(key, default)
    ProbeConfig = GetConfig(CStr(key), CStr(default))
End Function

Function ProbeFailure()
    ProbeFailure = CmLastFailure
End Function
"""
HOSTILE = '=cmd|"/c calc"!A1'


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Generator[Office]:
    reason = office.missing()
    if reason:
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("macros")
    with pytest.MonkeyPatch.context() as patch:
        # Excel's path has backslashes, which are letters like others in a name here
        patch.setenv("USERPROFILE", str(folder / "Ann"))
        settings = folder / "Ann\\.crossmargin\\crossmargin.conf"
        settings.write_bytes(b'"INTERPRETER_WIN","C:\\a, b\\python.exe"\r\n')
        source = workbook(folder)
        with patch.context() as parts:
            wrappers = excel.vba_module
            macros = excel_macros.vba_macros

            def with_stand_in(*given: object, **options: object) -> str:
                text = wrappers(*given, **options)  # type: ignore[arg-type]
                text = text.replace("XLPy.CallUDF(", "Answered(")
                return text.replace("If TypeOf Application.Caller Is Range Then ", "")

            def with_probe(*given: object) -> str:
                text = macros(*given)  # type: ignore[arg-type]
                return text.replace("Private Function CmUnbound", "Function CmUnbound")

            parts.setattr(excel, "vba_module", with_stand_in)
            parts.setattr(excel_macros, "vba_macros", with_probe)
            runtime = xlwings_runtime.text

            def with_answers(**options: bool) -> str:
                text = runtime(**options)
                return text.replace(
                    'GetConfig("CONDA PATH")', 'GetConfig("CONDA PATH", "")'
                ).replace('GetConfig("CONDA ENV")', 'GetConfig("CONDA ENV", "")')

            parts.setattr(xlwings_runtime, "text", with_answers)
            project = vba_project.project
            stand_in = vba_project.Module("stand_in", "module", STAND_IN)
            parts.setattr(vba_project, "project", lambda modules: project([*modules, stand_in]))
            vba_project.write_xlsm(source, folder / "book.xlsm", registry=sample_registry)
        with Office(folder) as started:
            started.open(folder / "book.xlsm", macros=True)
            yield started


def workbook(folder: Path) -> Path:
    book = xlsxwriter.Workbook(folder / "book.xlsx")
    sheet = book.add_worksheet("Sheet1")
    sheet.write_row("A1", ["symbol", "qty", "mark"])
    sheet.write_row("A2", ["BTC", 1.5, 60_000])
    sheet.write_row("A3", ["ETH", -2, 3_000])
    book.close()
    return folder / "book.xlsx"


def answer(running: Office, formula: str) -> Content:
    return running.answer(formula, address="H20")


def test_a_wrapper_hands_over_values_and_the_name_of_the_module(running: Office) -> None:
    module = excel.UDF_MODULE
    assert answer(running, '=CM_ECHO(A1:C3;1;"")').text == f"{module} CM_ECHO 3x3 symbol ETH"
    assert answer(running, '=CM_ECHO(B2;1;"")').text == f"{module} CM_ECHO Double 1.5"


def test_whole_columns_are_cut_after_the_last_used_cell(running: Office) -> None:
    shown = answer(running, '=CM_ECHO(A:C;1;"")').text
    rows = int(shown.split(" ")[2].split("x")[0])
    assert 3 <= rows <= 30


def test_markers_become_true_errors_and_a_text_stays_a_text(running: Office) -> None:
    running.do("write_array", sheet="Sheet1", address="K1:M2", formula="=CM_TABLE(2)")
    rows = running.cells("K1:M2")
    assert rows[0][0].text == "symbol"
    shown = [rows[0][1].text, rows[0][2].text, rows[1][1].text]
    assert shown == ["Error 2042", "Error 2036", "Error 2015"]  # xlErrNA, xlErrNum, xlErrValue
    assert rows[1][0].value == 1.5
    assert rows[1][2].text == "#N/A"


def test_a_failed_connection_is_not_available_and_its_reason_is_kept(running: Office) -> None:
    failed = running.answer('=CM_FAIL("x")', address="H21")
    assert failed.text == "Error 2042"
    assert "CM_FAIL: " in answer(running, "=ProbeFailure()").text


def test_the_cut_runtime_makes_the_command_that_starts_python(running: Office) -> None:
    assert answer(running, "=ProbeCommand()").text == (
        'cmd.exe  /K ""C:\\a, b\\python.exe" -B -P -c "import xlwings; '
        "xlwings.serve('$(CLSID)')\"\""
    )
    assert answer(running, '=ProbeConfig("SHOW CONSOLE";"False")').text == "False"


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("='C:\\Users\\Ann (x)\\crossmargin.xlam'!CM_MM(Book)", "=CM_MM(Book)"),
        ("=crossmargin.xlam!CM_MM(Book)", "=CM_MM(Book)"),
        ("='C:\\O''Neill\\crossmargin.xlsm'!CM_MM(Book)", "=CM_MM(Book)"),
        ("=CM_MM(Book)", "=CM_MM(Book)"),
        ('=IF(A1,crossmargin.xlam!CM_MM(B),"")', '=IF(A1,crossmargin.xlam!CM_MM(B),"")'),
        ("='other.xlam'!CM_MM(Book)", "='other.xlam'!CM_MM(Book)"),
        (HOSTILE, HOSTILE),
    ],
)
def test_a_formula_loses_the_name_of_our_file_and_nothing_else(
    running: Office, formula: str, expected: str
) -> None:
    running.do("write", sheet="Sheet1", address="P1", value=f"'{formula}")
    quoted = formula.replace('"', '""')
    assert answer(running, f'=CmUnbound("{quoted}")').text == expected
