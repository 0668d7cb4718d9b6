"""Excel on Windows: looks for the troubles that are known, and says what to do about each.

Nothing is changed and Excel is not started. Off Windows only the files can be looked at.
"""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Final

from crossmargin.hosts import excel_install, vba_project, xlwings_runtime
from crossmargin.hosts.checks import LOOK, NOT_CHECKED, OK, WRONG, Check
from crossmargin.hosts.excel_policies import policies

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crossmargin.hosts.machine import Machine

__all__ = ["checks"]

_EXCEL_PATH: Final = r"Software\Microsoft\Windows\CurrentVersion\App Paths\excel.exe"
_PYTHONS: Final = r"Software\Python\PythonCore"
_MACHINES: Final = {0x8664: "64", 0x14C: "32", 0xAA64: "ARM64"}
_INSTALL: Final = "run: crossmargin excel install"
_EXTRA: Final = 'run: pip install "crossmargin[excel]"'


def checks(machine: Machine) -> list[Check]:
    """Return what was looked at.

    Parameters
    ----------
    machine
        The computer.
    """
    return list(_all(machine))


def _all(machine: Machine) -> Iterator[Check]:
    if machine.system != "Windows":
        yield Check(
            "system",
            LOOK,
            machine.system,
            "worksheet functions in Excel need Windows; here use LibreOffice "
            "(crossmargin libreoffice install)",
        )
    yield from _xlwings(machine)
    yield from _files(machine)
    if machine.system == "Windows":
        program = _program_of_excel(machine)
        yield from _excel(machine, program)
        yield from _python(machine, program)
        yield from _settings(machine)
        yield from _conda(machine)
        yield from policies(machine)
    else:
        for name in (
            "Excel and its bits",
            "DLL beside Python",
            "pywin32",
            "settings",
            "policies for macros",
            "trusted locations",
            "virus scanner",
        ):
            yield Check(
                name,
                NOT_CHECKED,
                "only to be seen on the computer with Excel",
                "run crossmargin excel doctor there",
            )


def _xlwings(machine: Machine) -> Iterator[Check]:
    found = machine.installed("xlwings")
    if found is None:
        yield Check("xlwings", WRONG, "not installed beside this Python", _EXTRA)
        return
    try:
        xlwings_runtime.text()
    except ValueError as refusal:
        yield Check("xlwings", WRONG, f"{found}: {refusal}", _EXTRA)
        return
    yield Check("xlwings", OK, found)


def _files(machine: Machine) -> Iterator[Check]:
    try:
        manifest = excel_install.manifest_of(machine)
    except ValueError as refusal:
        yield Check("installation", WRONG, str(refusal), "remove that file and " + _INSTALL)
        return
    files = [Path(name) for name in manifest.files]
    macro_files = [path for path in files if path.suffix in {".xlam", ".xlsm"}]
    if not macro_files:
        yield Check("installation", WRONG, "nothing is installed", _INSTALL)
        return
    for path in macro_files:
        if not path.is_file():
            yield Check(path.name, WRONG, f"{path} is gone", _INSTALL)
            continue
        yield _version_in(machine, path)
        yield from _place(machine, path)


def _version_in(machine: Machine, path: Path) -> Check:
    name = f"VBA in {path.name}"
    try:
        made_for = vba_project.made_for(path)
    except OSError as problem:
        return Check(name, NOT_CHECKED, str(problem), "close Excel and ask again")
    wanted = machine.installed("xlwings")
    if made_for is None:
        return Check(
            name, LOOK, f"{path} does not say for which xlwings it was made", "compare by hand"
        )
    if made_for != wanted:
        return Check(
            name,
            WRONG,
            f"made for xlwings {made_for}, installed is {wanted}: cells say #N/A (Object required)",
            f"{_INSTALL}; for a workbook that you filled: crossmargin excel renew FILE",
        )
    return Check(name, OK, f"{path}, for xlwings {made_for}")


def _place(machine: Machine, path: Path) -> Iterator[Check]:
    if machine.system != "Windows":
        return
    mark = machine.zone(path)
    zone = re.search(r"ZoneId=(\d)", mark or "")
    name = f"mark of the web on {path.name}"
    if zone and int(zone[1]) >= 3:  # noqa: PLR2004 - 3 is the internet, 4 is restricted
        yield Check(
            name,
            WRONG,
            f"{path} is marked as downloaded: Excel blocks its macros",
            "file's Properties, General, Unblock; or delete it and " + _INSTALL,
        )
    else:
        yield Check(name, OK, "none")
    name = f"place of {path.name}"
    text = str(path)
    clouds = [machine.variable(one) for one in ("OneDrive", "OneDriveCommercial")]
    if text.startswith(("\\\\", "//")):
        yield Check(name, LOOK, f"{path} is on the network", "trust that folder, or copy it here")
    elif any(cloud and text.startswith(cloud) for cloud in clouds):
        yield Check(
            name,
            LOOK,
            f"{path} is synchronised by OneDrive",
            "calculations do not mind; if opening fails, keep the file outside OneDrive",
        )
    else:
        yield Check(name, OK, text)


def _program_of_excel(machine: Machine) -> Path | None:
    for hive in ("HKCU", "HKLM"):
        found = machine.registered(f"{hive}\\{_EXCEL_PATH}")
        if isinstance(found, str) and found:
            return Path(found.strip('"'))
    return None


def _excel(machine: Machine, program: Path | None) -> Iterator[Check]:
    name = "Excel"
    if program is None:
        yield Check(
            name,
            WRONG,
            "no Excel is registered on this computer",
            "install the desktop Excel of Microsoft 365; Excel in a browser calls no Python",
        )
        return
    if "windowsapps" in str(program).lower():
        yield Check(
            name,
            WRONG,
            f"{program} comes from the Microsoft Store, whose Excel starts no Python",
            "install Excel from office.com instead (the same licence)",
        )
        return
    bits = _bits_of(program)
    if bits is None:
        yield Check(name, NOT_CHECKED, f"the bits of {program} cannot be read")
    elif bits == "ARM64":
        yield Check(
            name, LOOK, f"{program}, {bits}", "xlwings has no DLL for ARM64; LibreOffice works"
        )
    else:
        words = f"{program}, {bits} bits"
        is_same = bits == str(machine.bits)
        advice = (
            "" if is_same else "it works across processes; if not, install Python of these bits"
        )
        yield Check(name, OK if is_same else LOOK, f"{words}; Python {machine.bits} bits", advice)


def _bits_of(program: Path) -> str | None:
    """Return for which processor a program was made, from its header."""
    try:
        with program.open("rb") as file:
            head = file.read(0x40)
            (start,) = struct.unpack_from("<I", head, 0x3C)
            file.seek(start)
            signature, kind = struct.unpack("<4sH", file.read(6))
    except (OSError, struct.error):
        return None
    return _MACHINES.get(kind) if signature == b"PE\0\0" else None


def _python(machine: Machine, program: Path | None) -> Iterator[Check]:
    version = machine.installed("xlwings")
    bits = (_bits_of(program) if program else None) or str(machine.bits)
    name = f"xlwings{32 if bits == '32' else 64}-{version}.dll"
    if version is not None:
        folders = (machine.python.parent, machine.python.parent.parent, machine.prefix)
        if any((folder / name).is_file() for folder in folders):
            yield Check("DLL beside Python", OK, name)
        else:
            yield Check(
                "DLL beside Python",
                WRONG,
                f"{name} is not in {machine.prefix}",
                "run: pip install --force-reinstall --no-deps xlwings",
            )
    if machine.installed("pywin32") is None:
        yield Check(
            "pywin32", WRONG, "not installed beside this Python", "run: pip install pywin32"
        )
    else:
        yield Check("pywin32", OK, str(machine.installed("pywin32")))
    found = [key for hive in ("HKCU", "HKLM") for key in machine.keys_below(f"{hive}\\{_PYTHONS}")]
    words = f"this one is {machine.python}; registered: {', '.join(found) or 'none'}"
    advice = "Excel starts the one that the settings name, whatever the others are"
    yield Check("Pythons", OK, words, advice if len(found) > 1 else "")


def _settings(machine: Machine) -> Iterator[Check]:
    path = excel_install.settings_file(machine)
    if not path.is_file():
        yield Check("settings", WRONG, f"{path} is missing", _INSTALL)
        return
    text = path.read_bytes().decode("latin-1")
    held = dict(re.findall(r'^"([^"]*)","([^"]*)"\r?$', text, re.MULTILINE))
    named = held.get("INTERPRETER_WIN", "")
    if not named:
        yield Check("settings", WRONG, f"{path} names no Python", _INSTALL)
        return
    conda = held.get("CONDA ENV")
    base = held.get("CONDA PATH", "")
    if named == "python" and conda:
        folder = Path(base) if conda == "base" else Path(conda)
        is_there, shown = folder.is_dir(), f"the environment {conda} of conda in {base}"
        is_this = folder == machine.prefix
    else:
        own = machine.in_system_encoding(str(machine.python)) or b""
        is_this = named == own.decode("latin-1")
        is_there, shown = is_this or Path(named).is_file(), named
    if not is_there:
        yield Check("settings", WRONG, f"{path} names {shown}, which is gone", _INSTALL)
    elif not is_this:
        yield Check(
            "settings",
            LOOK,
            f"Excel starts {shown}, this is {machine.python}",
            f"if Excel shall use this one, {_INSTALL}",
        )
    else:
        yield Check("settings", OK, f"{path} names this Python")


def _conda(machine: Machine) -> Iterator[Check]:
    if not (machine.prefix / "conda-meta").is_dir():
        return
    base = excel_install.conda_base(machine)
    if (base / "condabin" / "conda.bat").is_file():
        yield Check("conda", OK, f"{machine.prefix} of {base}")
    else:
        yield Check(
            "conda",
            WRONG,
            f"no condabin\\conda.bat in {base}: the environment cannot be activated",
            "renew conda, or make an environment with python -m venv and install there",
        )
