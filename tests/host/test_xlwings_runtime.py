"""The VBA that is cut from the installed xlwings, and that the cut fails loudly."""

from __future__ import annotations

import re
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import pytest

from crossmargin.hosts import xlwings_runtime

VERSION = version("xlwings")


def source() -> str:
    found = find_spec("xlwings")
    assert found
    assert found.origin
    path = Path(found.origin).with_name("xlwings.bas")
    return path.read_text(encoding="cp1252").replace("\r\n", "\n")


def procedures(text: str) -> list[str]:
    return re.findall(r"^(?:Public |Private )?(?:Function|Sub) (\w+)", text, re.MULTILINE)


def test_only_what_a_call_needs_is_kept() -> None:
    text = xlwings_runtime.text()
    assert procedures(text) == [
        "XLPyCommand",
        "XLPyLoadDLL",
        "XLPy",
        "KillPy",
        "GetConfigFilePath",
        "GetConfigFromFile",
        "FileExists",
        "FileExistsOnWindows",
        "ParentFolder",
        "GetConfig",
    ]
    assert len(text) < len(source()) / 4
    assert xlwings_runtime.text(addin=True) == text


def test_what_is_kept_of_xlwings_is_its_own_text() -> None:
    """All but the lines that were changed on purpose stand in xlwings' file as they are."""
    known = {line.strip() for line in source().splitlines()}
    text, _, _ = xlwings_runtime.text().partition("' From here on crossmargin's own text.")
    ours = [line.strip() for line in text.splitlines() if line.strip() not in known]
    names = ("PYTHON_WIN", "tail", "CondaCmd", "CondaPath", "CondaEnv", "ConsoleSwitch")
    declared = "Dim " + ", ".join(f"{name} As String" for name in names)
    assert ours == [
        "Option Private Module",
        'Public Const PROJECT_NAME As String = "crossmargin"',
        declared,
        'tail = " -B -P -c ""import xlwings; xlwings.serve(\'$(CLSID)\')"""',
    ]


def test_no_folder_of_a_workbook_and_no_python_of_the_search_path_is_used() -> None:
    code = re.sub(r"^\s*'.*$", "", xlwings_runtime.text(), flags=re.MULTILINE)
    for word in ("ActiveWorkbook", "ThisWorkbook", "PYTHONPATH", 'GetConfig("INTERPRETER"'):
        assert word not in code, word
    assert "INTERPRETER_WIN" in code


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (f'XLWINGS_VERSION As String = "{VERSION}"', 'X As String = "1"', "must say version"),
        (f'XLWINGS_VERSION As String = "{VERSION}"', 'XLWINGS_VERSION As String = "9"', "must say"),
        ("Private Sub XLPyLoadDLL()", "Private Sub LoadTheDLL()", "has 0 of XLPyLoadDLL"),
        ("Function ParentFolder(", "Function XLPy(", "has 2 of XLPy"),
        ("xlwings.serve('$(CLSID)')", "xlwings.serve2('$(CLSID)')", "must have 1"),
        ('PYTHON_WIN = GetConfig("INTERPRETER", "pythonw")\n', "", "must have 1"),
        ("Function XLPy()\n", "Function XLPy()\n    ShowError 1\n", "still calls ['ShowError']"),
        ("Function XLPy()\n", "Function XLPy()\n    Shell 1\n", "still says Shell"),
        (
            "Function XLPy()\n",
            'Function XLPy()\n    Set a = CreateObject("b")\n',
            "still says CreateObject",
        ),
        ("'Copyright (C)", "'Copied", "no licence notice"),
        ("Function XLPy()\n", "Function XLPy()\n#If Win64 Then\n", "leaves #If open"),
        ("PROJECT_NAME As String", "PROJECT As String", "must have 1"),
        ("XLPyDLLVersion", "DLLVersion", "declares no XLPyDLLVersion"),
    ],
)
def test_a_changed_source_is_refused(old: str, new: str, sentence: str) -> None:
    text = source()
    assert old in text
    with pytest.raises(ValueError, match=re.escape(sentence)):
        xlwings_runtime.cut(text.replace(old, new), VERSION)


def test_conditions_of_other_systems_are_resolved() -> None:
    text = """\
#If App = "Microsoft Excel" Then
excel
#ElseIf App = "Microsoft Word" Then
word
#Else
other
#End If
#If Not Mac Then
#If Win64 Then
long
#Else
short
#End If
#Else
#If VBA7 Then
mac
#End If
#End If
"""
    kept = xlwings_runtime._resolved(text).split("\n")
    assert kept == ["excel", "#If Win64 Then", "long", "#Else", "short", "#End If", ""]
