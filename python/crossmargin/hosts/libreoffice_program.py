"""Finds LibreOffice on a computer: its programs, its version and the Python inside it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from crossmargin.hosts.machine import Machine

__all__ = ["MINIMUM", "MINIMUM_PYTHON", "Program", "chosen", "found", "too_old"]

MINIMUM: Final = (25, 2)
MINIMUM_PYTHON: Final = (3, 11)
_SECONDS: Final = 60.0
_INSTALLED: Final = r"HKLM\SOFTWARE\LibreOffice\UNO\InstallPath"


@dataclass(frozen=True)
class Program:
    """One LibreOffice.

    Parameters
    ----------
    soffice
        Its main program, links followed.
    version
        Its version; empty where it did not say.
    python
        Major and minor version of the Python inside it; None where it cannot be seen.
    said
        What it answered to the question for its version.
    """

    soffice: Path
    version: tuple[int, ...]
    python: tuple[int, int] | None
    said: str

    @property
    def unopkg(self) -> Path:
        """Return its program for extensions."""
        suffix = ".com" if self.soffice.suffix else ""  # on Windows that one waits for its end
        return self.soffice.with_name(f"unopkg{suffix}")

    @property
    def shown(self) -> str:
        """Return version and place as a person reads them."""
        return f"LibreOffice {'.'.join(map(str, self.version)) or '?'} ({self.soffice})"


def found(machine: Machine, soffice: Path | None = None) -> list[Program]:
    """Return every LibreOffice that is found, the newest first.

    Parameters
    ----------
    machine
        The computer.
    soffice
        The only one to look at.
    """
    places = [soffice] if soffice is not None else _places(machine)
    programs = {place.resolve() for place in places if place.is_file()}
    return sorted(
        (_program(machine, path) for path in programs),
        key=lambda one: (one.version, str(one.soffice)),
        reverse=True,
    )


def chosen(machine: Machine, soffice: Path | None = None) -> Program:
    """Return the LibreOffice to use.

    Parameters
    ----------
    machine
        The computer.
    soffice
        Its program, where there are several.

    Raises
    ------
    ValueError
        If there is none, if it is too old, or if several would do and none was named.
    """
    programs = found(machine, soffice)
    if not programs:
        where = f" at {soffice}" if soffice is not None else ""
        raise ValueError(
            f"no LibreOffice was found{where}: install it from libreoffice.org, or name its "
            "program with --soffice"
        )
    new_enough = [one for one in programs if not too_old(one)]
    if not new_enough:
        raise ValueError(too_old(programs[0]))
    if len(new_enough) > 1:
        raise ValueError(
            "there are several LibreOffices, name one with --soffice: "
            + ", ".join(one.shown for one in new_enough)
        )
    return new_enough[0]


def too_old(program: Program) -> str:
    """Return why a LibreOffice cannot be used; empty if it can.

    Parameters
    ----------
    program
        The LibreOffice.
    """
    if not program.version:
        return f"{program.soffice} does not say its version, was {program.said!r}"
    if program.version[:2] < MINIMUM:
        return (
            f"{program.shown} is too old: before {MINIMUM[0]}.{MINIMUM[1]} the functions of an "
            "add-in are #NAME? in .xlsx files; install a newer one"
        )
    if program.python is not None and program.python < MINIMUM_PYTHON:
        return (
            f"the Python inside {program.shown} is {program.python[0]}.{program.python[1]}, must "
            f"be {MINIMUM_PYTHON[0]}.{MINIMUM_PYTHON[1]} or newer: install a newer LibreOffice"
        )
    return ""


def _places(machine: Machine) -> list[Path]:
    on_path = machine.program("soffice")
    places = [on_path] if on_path is not None else []
    if machine.system == "Windows":
        folder = machine.registered(_INSTALLED)
        bases = [machine.variable(name) for name in ("ProgramFiles", "ProgramFiles(x86)")]
        folders = [Path(str(folder))] if folder else []
        folders += [
            path / "program" for base in bases if base for path in Path(base).glob("LibreOffice*")
        ]
        # soffice.com waits and prints, soffice.exe does neither
        return [path.with_suffix(".com") for path in places] + [
            one / "soffice.com" for one in folders
        ]
    if machine.system == "Darwin":
        roots = (Path("/Applications"), machine.home / "Applications")
        return places + [
            path / "Contents" / "MacOS" / "soffice"
            for root in roots
            for path in root.glob("LibreOffice*.app")
        ]
    patterns = ("usr/lib*/libreoffice", "opt/libreoffice*", "usr/local/lib/libreoffice*")
    return places + [
        path / "program" / "soffice" for pattern in patterns for path in Path("/").glob(pattern)
    ]


def _program(machine: Machine, soffice: Path) -> Program:
    answer = machine.run([str(soffice), "--version"], _SECONDS)
    said = re.search(r"LibreOffice(?:Dev)? (\d+(?:\.\d+)*)", answer.output)
    version = tuple(map(int, said[1].split("."))) if said else ()
    return Program(soffice, version, _python(soffice.parent), answer.output)


def _python(folder: Path) -> tuple[int, int] | None:
    """Return the version of the Python that a LibreOffice brings or is linked to."""
    brought = [
        *folder.glob("python-core-3.*"),
        *folder.parent.glob("Frameworks/LibreOfficePython.framework/Versions/3.*"),
    ]
    for path in brought:
        if version := re.search(r"3\.(\d+)", path.name):
            return 3, int(version[1])
    linked = folder / "libpyuno.so"
    if linked.is_file():
        needed = re.search(rb"libpython3\.(\d+)", linked.read_bytes())
        return (3, int(needed[1])) if needed else None
    return None
