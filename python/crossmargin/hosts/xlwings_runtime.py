"""The part of xlwings' VBA that worksheet functions need, cut from the installed xlwings.

The VBA and the DLL beside Python must be of one version, so the text is that of the installed
package, never a copy of ours. What is kept starts Python as a COM server and hands calls to it; the
rest starts programs through a shell, imports modules into the project, or belongs to the paid part,
and is what virus scanners look at. The cut is by name, and refuses where a name is missing, where
what is kept still needs something that was left out, or where a replaced line has changed.

Two things differ on purpose. Settings are read from one file of the user alone (see
``excel_runtime.bas``). And Python is started without the folder of the workbook on its path: a file
``numpy.py`` beside a downloaded workbook would otherwise be run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

__all__ = ["PROJECT", "MissingXlwingsError", "text", "version_of_xlwings"]

PROJECT: Final = "crossmargin"
_SOURCES: Final = {False: "xlwings.bas", True: "xlwings_custom_addin.bas"}
_KEPT: Final = (
    "XLPyCommand",
    "XLPyLoadDLL",
    "XLPy",
    "KillPy",
    "GetConfigFilePath",
    "GetConfigFromFile",
    "FileExists",
    "FileExistsOnWindows",
    "ParentFolder",
)
_OURS: Final = ("GetConfig",)
_UNUSED_DECLARATIONS: Final = ("XLPyDLLNDims", "XLPyDLLVersion")
_FORBIDDEN: Final = re.compile(
    r"\b(WScript|Shell|CreateObject|GetObject|MacScript|AppleScriptTask|Popup|Kill|Environ\$?\("
    r"\"(?!USERPROFILE)|LICENSE\w*|prepare_sys_path|Auto_?Open|Workbook_Open)\b",
    re.IGNORECASE,
)
_PROCEDURE: Final = re.compile(
    r"^(?:Public |Private )?(Function|Sub) (\w+)\b.*?^End \1\n", re.MULTILINE | re.DOTALL
)
# What this computer's Excel is known to be: worksheet functions through COM exist on Windows only.
_KNOWN: Final = {'App = "Microsoft Excel"': True, "Mac": False}
_START: Final = (
    'tail = " -B -c ""import sys, os;" & LicenseKeyEnvString & "import xlwings.utils;'
    'xlwings.utils.prepare_sys_path(\\""" & PYTHONPATH & "\\"");import xlwings; '
    'xlwings.serve(\'$(CLSID)\')"""'
)
_STARTED: Final = 'tail = " -B -P -c ""import xlwings; xlwings.serve(\'$(CLSID)\')"""'


class MissingXlwingsError(ValueError):
    """xlwings is not installed beside this Python."""


def version_of_xlwings() -> str:
    """Return the version of the installed xlwings.

    Raises
    ------
    MissingXlwingsError
        If it is not installed.
    """
    _folder()
    return version("xlwings")


def text(*, addin: bool = False) -> str:
    """Return the VBA by which the installed xlwings is reached, its BSD notice included.

    Parameters
    ----------
    addin
        True for an .xlam, False for an .xlsm.

    Raises
    ------
    MissingXlwingsError
        If xlwings is not installed.
    ValueError
        If its VBA is not of the form known here.
    """
    source = (_folder() / _SOURCES[addin]).read_text(encoding="cp1252").replace("\r\n", "\n")
    return cut(source, version_of_xlwings())


def cut(source: str, wanted_version: str) -> str:
    """Return what worksheet functions need of xlwings' VBA.

    Parameters
    ----------
    source
        The text of ``xlwings.bas``, with Unix line ends.
    wanted_version
        The version that it must say.

    Raises
    ------
    ValueError
        If the text is not of the form known here.
    """
    said = re.findall(r'^Public Const XLWINGS_VERSION As String = "(.*)"$', source, re.MULTILINE)
    if said != [wanted_version]:
        raise ValueError(f"the VBA of xlwings says {said}, must say version {wanted_version}")
    source = _resolved(source)
    procedures = [(found[2], found[0], found.start()) for found in _PROCEDURE.finditer(source)]
    if not procedures:
        raise ValueError("the VBA of xlwings has no procedures")
    found_names = [name for name, _, _ in procedures]
    for name in _KEPT:
        if found_names.count(name) != 1:
            raise ValueError(f"the VBA of xlwings has {found_names.count(name)} of {name}, must 1")
    head = source[: procedures[0][2]]
    # the functions of this module are for the wrappers; in a cell or a list of macros they mislead
    head = _replaced(r'\A(Attribute VB_Name = "xlwings"\n)', r"\1Option Private Module\n", head)
    head = _replaced(r'(PROJECT_NAME As String = )"\w+"', rf'\1"{PROJECT}"', head)
    for name in _UNUSED_DECLARATIONS:
        head, times = re.subn(rf"^.*\bDeclare .*\b{name}\b.*\n", "", head, flags=re.MULTILINE)
        if not times:
            raise ValueError(f"the VBA of xlwings declares no {name}")
    bodies = {name: body for name, body, _ in procedures if name in _KEPT}
    bodies["XLPyCommand"] = _own_command(bodies["XLPyCommand"])
    bodies["XLPyLoadDLL"] = _without_default(bodies["XLPyLoadDLL"])
    own = Path(__file__).with_name("excel_runtime.bas").read_text(encoding="utf-8")
    made = _tidy("\n".join([head, *(bodies[name] for name in _KEPT)])) + own
    _check(made, set(found_names) - {*_KEPT, *_OURS})
    return made


def _own_command(body: str) -> str:
    """Return XLPyCommand without the workbook's folder, the licence key and a default Python."""
    body = _replaced(r"^ *licenseKey = GetConfig(?s:.*?)^ *End If\n", "", body)
    body = _replaced(r"^ *AddExcelDir = GetConfig\(.*\n", "", body)
    body = _replaced(r"^ *PYTHONPATH = AddExcelDir .*\n", "", body)
    body, times = re.subn(r"^ *PYTHONPATH = Replace\(.*\n", "", body, flags=re.MULTILINE)
    if not times:
        raise ValueError("the VBA of xlwings escapes no PYTHONPATH")
    body = _replaced(re.escape(_START), _STARTED.replace("\\", r"\\"), body)
    body = re.sub(r"^ *'.*\n", "", body, flags=re.MULTILINE)  # they explain what is gone
    kept = ("PYTHON_WIN", "tail", "CondaCmd", "CondaPath", "CondaEnv", "ConsoleSwitch")
    declared = "    Dim " + ", ".join(f"{name} As String" for name in kept) + "\n"
    body = re.sub(r"^ *Dim (?!DEBUG_UDFS).*\n", "", body, flags=re.MULTILINE)
    body = _replaced(r"^(Function XLPyCommand\(\)\n)", rf"\1{declared}", body)
    return _without_default(body)


def _without_default(body: str) -> str:
    """Leave out the Python of the search path: it is whichever lies first."""
    return _replaced(r"^ *If PYTHON_WIN = \"\" Then\n(?: *'.*\n)?.*\n *End If\n", "", body)


def _check(made: str, left_out: set[str]) -> None:
    code = re.sub(r"'.*", "", re.sub(r'"[^"\n]*"', '""', made))
    if missing := sorted(set(re.findall(r"\w+", code)) & left_out):
        raise ValueError(f"the VBA of xlwings still calls {missing}")
    said = re.sub(r"^\s*'.*", "", made, flags=re.MULTILINE)
    if found := _FORBIDDEN.search(said):
        raise ValueError(f"the VBA of xlwings still says {found[0]}")
    if "Copyright (C)" not in made or "BSD 3-clause" not in made:
        raise ValueError("the VBA of xlwings has no licence notice")


def _resolved(source: str) -> str:
    """Return the text without the branches for other systems and other programs.

    Conditions that are not known here, such as that of 64 bits, stay in the text.
    """
    lines: list[str] = []
    open_conditions: list[_Condition] = []
    for line in source.splitlines():
        word = line.strip()
        if found := re.match(r"#If (Not )?(.*?) Then\b", word):
            known = _KNOWN.get(found[2])
            is_true = known is not None and known != bool(found[1])
            open_conditions.append(_Condition(is_known=known is not None, is_taken=is_true))
            if known is not None:
                continue
        elif word.startswith("#"):
            if not open_conditions and not word.startswith("#Const"):
                raise ValueError(f"the VBA of xlwings has {word} without #If")
            if open_conditions and open_conditions[-1].is_known:
                _next_branch(open_conditions, word)
                continue
            if word.startswith("#End If"):
                _keep(lines, line, open_conditions)
                open_conditions.pop()
                continue
        _keep(lines, line, open_conditions)
    if open_conditions:
        raise ValueError("the VBA of xlwings leaves #If open")
    return "\n".join(lines) + "\n"


@dataclass
class _Condition:
    is_known: bool
    is_taken: bool
    was_taken: bool = False


def _next_branch(open_conditions: list[_Condition], word: str) -> None:
    condition = open_conditions[-1]
    condition.was_taken |= condition.is_taken
    if word.startswith("#End If"):
        open_conditions.pop()
    elif word.startswith("#ElseIf") and not condition.was_taken:
        raise ValueError(f"the VBA of xlwings has {word}, which is not known")
    else:
        condition.is_taken = not condition.was_taken


def _keep(lines: list[str], line: str, open_conditions: list[_Condition]) -> None:
    if all(one.is_taken or not one.is_known for one in open_conditions):
        lines.append(line)


def _tidy(source: str) -> str:
    source = re.sub(r"^'Attribute VB_Name.*\n", "", source, flags=re.MULTILINE)
    return re.sub(r"\n(?:[ \t]*\n){2,}", "\n\n", source).rstrip("\n") + "\n"


def _replaced(pattern: str, replacement: str, source: str) -> str:
    """Replace what must occur once."""
    changed, times = re.subn(pattern, replacement, source, flags=re.MULTILINE)
    if times != 1:
        raise ValueError(f"the VBA of xlwings has {times} of {pattern}, must have 1")
    return changed


def _folder() -> Path:
    found = find_spec("xlwings")
    if found is None or found.origin is None:
        raise MissingXlwingsError(
            'xlwings is not installed beside this Python: pip install "crossmargin[excel]"'
        )
    return Path(found.origin).parent
