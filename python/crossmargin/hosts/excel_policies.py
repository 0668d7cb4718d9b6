"""Excel on Windows: what administrators and Excel's Trust Center allow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from crossmargin.hosts import excel_install
from crossmargin.hosts.checks import LOOK, OK, WRONG, Check

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from crossmargin.hosts.machine import Machine

__all__ = ["policies"]

_SECURITY: Final = r"Microsoft\Office\16.0\Excel\Security"
_RULES: Final = (
    r"HKLM\SOFTWARE\Policies\Microsoft\Windows Defender\Windows Defender Exploit Guard\ASR\Rules"
)
# Attack surface reduction rules of Microsoft Defender, by the numbers that Microsoft gave them.
_CHILDREN: Final = "d4f940ab-401b-4efc-aadc-ad5f3c50688a"
_WIN32_CALLS: Final = "92e97fa1-2edf-4476-bdd6-9dd0b4dddc7b"
_BLOCKS, _WARNS = 1, 6
_SIGNED_ONLY, _NONE = 3, 4


def policies(machine: Machine) -> Iterator[Check]:
    """Yield what may keep macros from running or Python from being started.

    Parameters
    ----------
    machine
        The computer.
    """
    yield _macros(machine)
    yield _trusted(machine)
    yield from _defender(machine)
    yield Check(
        "virus scanner",
        LOOK,
        "macros without compiled code that start Python are looked at closely",
        "if a file vanishes or Excel says that a macro is blocked: ask for an exception for the "
        "files named above, which were made on this computer; their SHA-256 stand in "
        f"{machine.home / '.crossmargin' / 'excel.json'}, their VBA can be read with olevba",
    )


def _macros(machine: Machine) -> Check:
    name = "policies for macros"
    for key, who in (
        (f"HKCU\\Software\\Policies\\{_SECURITY}", "an administrator"),
        (f"HKCU\\Software\\{_SECURITY}", "the Trust Center"),
    ):
        setting = machine.registered(key, "VBAWarnings")
        if setting == _NONE:
            return Check(
                name,
                WRONG,
                f"{who} blocks all macros (VBAWarnings = 4)",
                "files in trusted locations still run: see the next row; else use LibreOffice",
            )
        if setting == _SIGNED_ONLY:
            return Check(
                name,
                WRONG,
                f"{who} allows signed macros only (VBAWarnings = 3)",
                "sign the two files with your company's certificate, or use a trusted location",
            )
    return Check(name, OK, "macros may run after a question")


def _trusted(machine: Machine) -> Check:
    name = "trusted locations"
    key = f"HKCU\\Software\\{_SECURITY}\\Trusted Locations"
    if machine.registered(key, "AllLocationsDisabled") == 1 or (
        machine.registered(
            f"HKCU\\Software\\Policies\\{_SECURITY}\\Trusted Locations", "AllLocationsDisabled"
        )
        == 1
    ):
        return Check(name, LOOK, "all are switched off", "Excel asks, or blocks, for each file")
    locations = [
        str(machine.registered(f"{key}\\{one}", "Path") or "") for one in machine.keys_below(key)
    ]
    start = excel_install.start_folder(machine)
    try:
        files = excel_install.manifest_of(machine).files
    except ValueError:
        files = {}
    outside = [
        file
        for file in files
        if file.endswith((".xlsm", ".xlam")) and not _is_below(file, [*locations, start])
    ]
    if outside:
        return Check(
            name,
            LOOK,
            f"not in one: {', '.join(outside)}",
            "Excel asks once (Enable Content); or File, Options, Trust Center, Trusted Locations, "
            "Add new location",
        )
    return Check(name, OK, "the files lie in trusted locations")


def _is_below(file: str, folders: list[str | Path | None]) -> bool:
    path = file.lower().replace("/", "\\")
    known = [str(folder).lower().replace("/", "\\").rstrip("\\") for folder in folders if folder]
    return any(path.startswith(f"{folder}\\") for folder in known)


def _defender(machine: Machine) -> Iterator[Check]:
    for rule, what in (
        (_CHILDREN, "Office may start no programs, so Excel cannot start Python"),
        (_WIN32_CALLS, "macros may call no DLL, so Excel cannot reach xlwings"),
    ):
        setting = str(machine.registered(_RULES, rule) or "")
        if setting in {str(_BLOCKS), str(_WARNS)}:
            yield Check(
                "rules of Defender",
                WRONG if setting == str(_BLOCKS) else LOOK,
                f"{what} (attack surface reduction rule {rule})",
                "ask your administrator for an exception, or use LibreOffice",
            )
            return
    yield Check("rules of Defender", OK, "none known that forbids starting Python")
