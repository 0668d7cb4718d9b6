"""A computer for tests: its settings are given, its files are ordinary files in a folder."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crossmargin.hosts.machine import Finished

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

__all__ = ["FakeMachine", "tree", "windows", "write_program"]

SHELL = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Explorer\Shell Folders"
EXCEL = r"HKLM\Software\Microsoft\Windows\CurrentVersion\App Paths\excel.exe"


@dataclass
class FakeMachine:
    """Answers from what it was given."""

    home: Path
    python: Path
    prefix: Path
    system: str = "Windows"
    bits: int = 64
    is_root: bool = False
    variables: dict[str, str] = field(default_factory=dict)
    registry: dict[tuple[str, str], str | int] = field(default_factory=dict)
    packages: dict[str, str] = field(default_factory=dict)
    programs: dict[str, Path] = field(default_factory=dict)
    zones: dict[Path, str] = field(default_factory=dict)
    encoding: str = "cp1252"
    answer: Callable[[Sequence[str]], Finished] = lambda _: Finished(0, "")
    asked: list[list[str]] = field(default_factory=list)

    def variable(self, name: str) -> str | None:
        return self.variables.get(name)

    def registered(self, key: str, value: str = "") -> str | int | None:
        return self.registry.get((key, value))

    def keys_below(self, key: str) -> tuple[str, ...]:
        found = {
            name.removeprefix(f"{key}\\").partition("\\")[0]
            for name, _ in self.registry
            if name.startswith(f"{key}\\")
        }
        return tuple(sorted(found))

    def installed(self, package: str) -> str | None:
        return self.packages.get(package)

    def program(self, name: str) -> Path | None:
        return self.programs.get(name)

    def in_system_encoding(self, text: str) -> bytes | None:
        try:
            return text.encode(self.encoding)
        except UnicodeEncodeError:
            return None

    def zone(self, path: Path) -> str | None:
        return self.zones.get(path)

    def run(
        self,
        command: Sequence[str],
        seconds: float,
        environment: Mapping[str, str] | None = None,
    ) -> Finished:
        del seconds, environment
        self.asked.append(list(command))
        return self.answer(command)


def windows(folder: Path) -> FakeMachine:
    """Return a computer with Windows, a desktop Excel and xlwings, on which nothing is wrong."""
    home = folder / "Users" / "Ann"
    prefix = folder / "env"
    roaming, documents = home / "AppData" / "Roaming", home / "Documents"
    for made in (roaming, documents, prefix / "Scripts"):
        made.mkdir(parents=True)
    python = prefix / "Scripts" / "python.exe"
    python.write_bytes(b"")
    (prefix / "xlwings64-0.37.8.dll").write_bytes(b"")
    excel = write_program(folder / "Office16" / "EXCEL.EXE", 0x8664)
    return FakeMachine(
        home=home,
        python=python,
        prefix=prefix,
        variables={"USERPROFILE": str(home)},
        registry={
            (SHELL, "AppData"): str(roaming),
            (SHELL, "Personal"): str(documents),
            (EXCEL, ""): str(excel),
        },
        packages={"xlwings": "0.37.8", "pywin32": "311", "crossmargin": "0.1.0"},
    )


def write_program(path: Path, kind: int) -> Path:
    """Write the header of a program for a processor and nothing else."""
    path.parent.mkdir(parents=True, exist_ok=True)
    head = b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 0x80)
    path.write_bytes(head.ljust(0x80, b"\0") + b"PE\0\0" + struct.pack("<H", kind))
    return path


def tree(folder: Path) -> dict[str, bytes | None]:
    """Return all files with their contents, and all folders."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }
