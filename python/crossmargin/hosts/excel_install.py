"""Excel on Windows: writes add-in, template and settings for one user, and takes them back.

The macro files are made here, on the user's computer, so their VBA is always that of the installed
xlwings, and Windows puts no mark of the web on them. The folder XLSTART is one that Excel trusts by
itself. No administrator, no setting of Excel and no access to the VBA project is needed.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from crossmargin.hosts import vba_project, xlwings_runtime
from crossmargin.hosts.manifest import Manifest, Removed

if TYPE_CHECKING:
    from crossmargin.hosts.machine import Machine

__all__ = [
    "ADDIN",
    "WORKBOOK",
    "Installed",
    "Places",
    "conda_base",
    "documents",
    "install",
    "manifest_of",
    "places",
    "settings_file",
    "settings_of",
    "start_folder",
    "uninstall",
]

ADDIN: Final = "crossmargin.xlam"
WORKBOOK: Final = "crossmargin.xlsm"
_WORDS: Final = (
    "Functions for margin and liquidation of crypto-derivatives books, CM_BOOK and others.",
    "Macros (Alt+F8, then type the name): CrossmarginStatus, CrossmarginRestart,",
    "CrossmarginBind (enters formulas again), CrossmarginDescribe (help for arguments).",
    "Removed by: crossmargin excel uninstall",
)
_CREATED: Final = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)  # fixed: the same bytes
_SHELL_FOLDERS: Final = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Explorer\Shell Folders"


@dataclass(frozen=True)
class Places:
    """Where things go.

    Parameters
    ----------
    addin
        The add-in.
    workbook
        The template with macros.
    settings
        The file that names Python; None off Windows, where Excel calls no Python.
    """

    addin: Path
    workbook: Path
    settings: Path | None


@dataclass(frozen=True)
class Installed:
    """What an installation did.

    Parameters
    ----------
    written
        The files.
    kept
        A workbook of the user's that stands in the template's place and was left alone.
    version
        The version of xlwings whose VBA the files carry.
    """

    written: tuple[Path, ...]
    kept: tuple[Path, ...]
    version: str


def install(
    machine: Machine, folder: Path | None = None, workbook: Path | None = None
) -> Installed:
    """Write the add-in, the template and the settings.

    Parameters
    ----------
    machine
        The computer.
    folder
        Where the add-in goes; left out, Excel's start folder of this user, which must be found.
    workbook
        The template; left out, `crossmargin.xlsm` among the user's documents, off Windows in the
        folder. A workbook that is there and was changed is left alone unless it was named.

    Returns
    -------
    Installed
        What was written.

    Raises
    ------
    ValueError
        If xlwings is missing or not known, if no folder is given off Windows, or if a file that we
        did not write stands in the way; nothing is written then.
    OSError
        If a file cannot be written.
    """
    version = xlwings_runtime.version_of_xlwings()
    where = places(machine, folder, workbook)
    manifest = manifest_of(machine)
    with tempfile.TemporaryDirectory() as made:
        contents = {
            where.addin: _addin(Path(made)),
            where.workbook: _template(Path(made)),
        }
    if where.settings is not None:
        contents[where.settings] = settings_of(machine)
    kept: tuple[Path, ...] = ()
    if workbook is None and not manifest.may_write(where.workbook, contents[where.workbook]):
        kept = (where.workbook,)
        del contents[where.workbook]
    manifest.write(contents)
    return Installed(tuple(contents), kept, version)


def uninstall(machine: Machine) -> Removed:
    """Remove what `install` wrote; files that were changed since are left alone.

    Parameters
    ----------
    machine
        The computer.

    Returns
    -------
    Removed
        What is gone, what was left because it was changed, and what Excel holds open.

    Raises
    ------
    ValueError
        If the list of what was installed cannot be read.
    """
    return manifest_of(machine).take_back()


def manifest_of(machine: Machine) -> Manifest:
    """Return the list of what was installed.

    Parameters
    ----------
    machine
        The computer.
    """
    return Manifest.read(machine.home / ".crossmargin" / "excel.json")


def settings_file(machine: Machine) -> Path:
    """Return the file in which the VBA looks for Python.

    Parameters
    ----------
    machine
        The computer.
    """
    profile = machine.variable("USERPROFILE")
    home = Path(profile) if profile else machine.home
    name = xlwings_runtime.PROJECT
    return home / f".{name}" / f"{name}.conf"


def places(machine: Machine, folder: Path | None = None, workbook: Path | None = None) -> Places:
    """Return where things go; see `install`.

    Parameters
    ----------
    machine
        The computer.
    folder
        Where the add-in goes.
    workbook
        The template.

    Raises
    ------
    ValueError
        If a place is neither given nor to be found, or the names cannot be those of the files.
    """
    if workbook is not None and workbook.suffix.lower() != ".xlsm":
        raise ValueError(f"the workbook must be named *.xlsm, was {workbook}")
    is_windows = machine.system == "Windows"
    found = folder or start_folder(machine)
    if found is None and not is_windows:
        raise ValueError(
            f"Excel starts no Python on {machine.system}, so there is no start folder here: name "
            "one with --folder, and copy what is written to a computer with Windows"
        )
    if found is None:
        raise ValueError("the start folder of Excel was not found: name it with --folder")
    own = documents(machine) if is_windows else found
    return Places(
        addin=found.absolute() / ADDIN,
        workbook=(workbook or own / WORKBOOK).absolute(),
        settings=settings_file(machine) if is_windows else None,
    )


def start_folder(machine: Machine) -> Path | None:
    """Return the folder whose add-ins Excel opens by itself and trusts.

    Parameters
    ----------
    machine
        The computer.
    """
    if machine.system != "Windows":
        return None
    roaming = machine.registered(_SHELL_FOLDERS, "AppData") or machine.variable("APPDATA")
    return Path(str(roaming)) / "Microsoft" / "Excel" / "XLSTART" if roaming else None


def documents(machine: Machine) -> Path:
    """Return the user's folder of documents.

    Parameters
    ----------
    machine
        The computer.
    """
    found = machine.registered(_SHELL_FOLDERS, "Personal")
    return Path(str(found)) if found else machine.home


def settings_of(machine: Machine) -> bytes:
    """Return the contents of the file that names Python.

    Parameters
    ----------
    machine
        The computer.

    Raises
    ------
    ValueError
        If the path of Python holds what the file, or the shell that starts Python, cannot carry.
    """
    settings = {"INTERPRETER_WIN": str(machine.python)}
    if (machine.prefix / "conda-meta").is_dir():
        # only an activated environment finds its libraries
        base = conda_base(machine)
        settings = {
            "INTERPRETER_WIN": "python",
            "CONDA PATH": str(base),
            "CONDA ENV": "base" if base == machine.prefix else str(machine.prefix),
        }
    for name, value in settings.items():
        if found := next((sign for sign in '"%&^' if sign in value), None):
            raise ValueError(
                f"the path {value} holds the sign {found}, with which Excel cannot start Python: "
                "make an environment in another folder"
            )
        if machine.in_system_encoding(value) is None:
            raise ValueError(
                f"{name}: the path {value} has letters that VBA cannot read on this computer: make "
                r"an environment in a folder with plain letters, such as C:\crossmargin"
            )
    lines = "".join(f'"{name}","{value}"\r\n' for name, value in settings.items())
    return machine.in_system_encoding(lines) or b""


def conda_base(machine: Machine) -> Path:
    """Return the folder of conda itself.

    Parameters
    ----------
    machine
        The computer, in an environment of conda.
    """
    program = machine.variable("CONDA_EXE")
    if program:
        return Path(program).parent.parent
    is_named = machine.prefix.parent.name == "envs"
    return machine.prefix.parent.parent if is_named else machine.prefix


def _addin(folder: Path) -> bytes:
    """Return the add-in: functions and macros in a workbook with one page of words."""
    import xlsxwriter  # noqa: PLC0415 - only here

    from crossmargin.template import archive  # noqa: PLC0415 - loads the whole template

    source = folder / "words.xlsx"
    safe = {"strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(source, safe)
    book.set_properties({"title": "crossmargin", "author": "crossmargin",
                         "created": _CREATED})  # fmt: skip
    words = book.add_worksheet("crossmargin")
    for row, line in enumerate(_WORDS):
        words.write_string(row, 0, line)
    book.close()
    archive.finish(source, {})
    made = folder / ADDIN
    vba_project.write_xlsm(source, made)
    return made.read_bytes()


def _template(folder: Path) -> bytes:
    """Return the template with the sample books and the functions in it."""
    from crossmargin.template import sample, workbook  # noqa: PLC0415 - load XlsxWriter

    source = folder / "template.xlsx"
    workbook.write(source, sample.sample(), version=sample.shown_version())
    made = folder / WORKBOOK
    vba_project.write_xlsm(source, made)
    return made.read_bytes()
