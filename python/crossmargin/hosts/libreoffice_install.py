"""LibreOffice: adds the add-in, takes it away, and looks whether it works.

LibreOffice's own program `unopkg` keeps the list of its extensions; nothing else is written. An
ordinary user installs for himself. Root can only install for everybody (`--shared`), which is what
`unopkg` demands.
"""

from __future__ import annotations

import csv
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from crossmargin import registry
from crossmargin.hosts import libreoffice, libreoffice_program
from crossmargin.hosts.checks import LOOK, NOT_CHECKED, OK, WRONG, Check
from crossmargin.hosts.libreoffice_program import Program, chosen, too_old

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crossmargin.hosts.machine import Machine

__all__ = ["Scope", "doctor", "install", "registered_version", "scope_of", "trial", "uninstall"]

_SECONDS: Final = 180.0
_TRIAL_ROWS: Final = (
    ("symbol", "contracts", "markPrice", "entryPrice", "leverage"),
    ("BTC", 1.0, 60_000.0, 59_000.0, 20.0),
)
_TRIAL_RULEBOOK: Final = "hyperliquid"


@dataclass(frozen=True)
class Scope:
    """For whom an add-in is installed.

    Parameters
    ----------
    is_shared
        Everybody, or this user.
    profile
        A folder with a profile of its own, apart from that of the user; None for the usual one.
    """

    is_shared: bool
    profile: Path | None = None

    @property
    def words(self) -> list[str]:
        """Return what `unopkg` must be told."""
        return [*(["--shared"] if self.is_shared else []), *self.environment]

    @property
    def environment(self) -> list[str]:
        """Return what every program of LibreOffice must be told."""
        if self.profile is None:
            return []
        user, shared = (self.profile.absolute() / name for name in ("profile", "shared"))
        return [
            f"-env:UserInstallation={user.as_uri()}",
            f"-env:UNO_SHARED_PACKAGES_CACHE={shared.as_uri()}",
        ]

    @property
    def shown(self) -> str:
        """Return whom it is for."""
        return "for all users" if self.is_shared else "for this user"


def scope_of(machine: Machine, *, is_shared: bool, profile: Path | None = None) -> Scope:
    """Return for whom to install: root cannot install for one user.

    Parameters
    ----------
    machine
        The computer.
    is_shared
        Whether everybody was asked for.
    profile
        A profile apart.
    """
    return Scope(is_shared=is_shared or machine.is_root, profile=profile)


def install(machine: Machine, scope: Scope, soffice: Path | None = None) -> tuple[Program, str]:
    """Build the add-in from this package and add it; an older one is replaced.

    Parameters
    ----------
    machine
        The computer.
    scope
        For whom.
    soffice
        Which LibreOffice, where there are several.

    Returns
    -------
    tuple
        The LibreOffice and the version that it now has.

    Raises
    ------
    ValueError
        If there is no LibreOffice that can be used, or it refused.
    """
    program = chosen(machine, soffice)
    with tempfile.TemporaryDirectory() as folder:
        addin = libreoffice.build(Path(folder) / "crossmargin.oxt")
        added = [str(program.unopkg), "add", "--force", "--suppress-license", *scope.words]
        done = machine.run([*added, str(addin)], _SECONDS)
    version = registered_version(machine, program, scope)
    if done.code != 0 or version is None:
        raise ValueError(f"{program.shown} did not take the add-in: {_refusal(done.output)}")
    return program, version


def uninstall(machine: Machine, scope: Scope, soffice: Path | None = None) -> list[Program]:
    """Remove the add-in from every LibreOffice that has it, or from the one named.

    Parameters
    ----------
    machine
        The computer.
    scope
        From whom.
    soffice
        Which LibreOffice.

    Returns
    -------
    list of Program
        Those that had it.

    Raises
    ------
    ValueError
        If one refused.
    """
    removed = []
    for program in libreoffice_program.found(machine, soffice):
        if registered_version(machine, program, scope) is None:
            continue
        words = [str(program.unopkg), "remove", *scope.words, libreoffice.IDENTIFIER]
        done = machine.run(words, _SECONDS)
        if registered_version(machine, program, scope) is not None:
            raise ValueError(f"{program.shown} kept the add-in: {_refusal(done.output)}")
        removed.append(program)
    return removed


def registered_version(machine: Machine, program: Program, scope: Scope) -> str | None:
    """Return the version of our add-in that a LibreOffice has, or None.

    Parameters
    ----------
    machine
        The computer.
    program
        The LibreOffice.
    scope
        For whom.
    """
    words = [str(program.unopkg), "list", *scope.words]
    listed = machine.run(words, _SECONDS).output
    for block in re.split(r"(?m)^(?=\s*Identifier:)", listed):
        if re.match(
            rf"\s*Identifier:\s*{re.escape(libreoffice.IDENTIFIER)}\s*$", block, re.MULTILINE
        ):
            version = re.search(r"(?m)^\s*Version:\s*(\S+)", block)
            return version[1] if version else "unknown"
    return None


def doctor(machine: Machine, scope: Scope, soffice: Path | None = None) -> list[Check]:
    """Return what was looked at; LibreOffice is started once to calculate.

    Parameters
    ----------
    machine
        The computer.
    scope
        For whom the add-in is installed.
    soffice
        Which LibreOffice, where there are several.
    """
    return list(_all(machine, scope, soffice))


def _all(machine: Machine, scope: Scope, soffice: Path | None) -> Iterator[Check]:
    programs = libreoffice_program.found(machine, soffice)
    for one in programs:
        problem = too_old(one)
        advice = "one of the others is used, or install a newer one" if problem else ""
        usable = any(not too_old(other) for other in programs)
        state = OK if not problem else LOOK if usable else WRONG
        yield Check("LibreOffice", state, problem or one.shown, advice)
    try:
        program = chosen(machine, soffice)
    except ValueError as refusal:
        advice = "install LibreOffice 25.2 or newer" if not programs else "see the reason"
        yield Check("LibreOffice to use", WRONG, str(refusal), advice)
        return
    if program.python is None:
        yield Check("Python in LibreOffice", NOT_CHECKED, "its version cannot be seen")
    else:
        yield Check("Python in LibreOffice", OK, ".".join(map(str, program.python)))
    install_it = "run: crossmargin libreoffice install"
    wanted = machine.installed("crossmargin")
    version = registered_version(machine, program, scope)
    name = f"add-in {scope.shown}"
    if version is None:
        yield Check(name, WRONG, "not registered", install_it)
        return
    if version != wanted:
        found = f"the add-in is {version}, the package is {wanted}"
        yield Check(name, WRONG, found, install_it)
    else:
        yield Check(name, OK, version)
    yield trial(machine, program, scope)


def trial(machine: Machine, program: Program, scope: Scope) -> Check:
    """Return whether LibreOffice calculates what this Python calculates.

    Parameters
    ----------
    machine
        The computer.
    program
        The LibreOffice.
    scope
        For whom the add-in is installed.
    """
    name = "trial calculation"
    key = registry.call("CM_BOOK", [[list(row) for row in _TRIAL_ROWS], _TRIAL_RULEBOOK])
    expected = registry.call("CM_MM", [key])
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        source = _trial_workbook(folder)
        words = [str(program.soffice), "--headless", "--norestore", *scope.environment]
        words += ["--convert-to", "csv", "--outdir", str(folder), str(source)]
        done = machine.run(words, _SECONDS)
        answer = source.with_suffix(".csv")
        if not answer.is_file():
            return Check(
                name,
                WRONG,
                f"LibreOffice gave no answer: {_refusal(done.output)}",
                "close LibreOffice and ask again; then try crossmargin libreoffice install",
            )
        with answer.open(encoding="utf-8", newline="") as file:
            shown = next(csv.reader(file), [""])[0]
    if shown == str(expected) or shown == f"{expected:g}":
        return Check(name, OK, f"CM_MM = {shown}, as in Python")
    return Check(
        name,
        WRONG,
        f"CM_MM shows {shown!r}, in Python it is {expected}",
        "#NAME?: the add-in is not loaded, install it again; another number: please report it",
    )


def _trial_workbook(folder: Path) -> Path:
    import xlsxwriter  # noqa: PLC0415 - the only use

    from crossmargin.template import archive  # noqa: PLC0415 - loads the whole template

    path = folder / "trial.xlsx"
    book = xlsxwriter.Workbook(path)
    sheet, rows = book.add_worksheet("Trial"), book.add_worksheet("Rows")
    for number, row in enumerate(_TRIAL_ROWS):
        rows.write_row(number, 0, row)
    sheet.write_formula("A1", "=CM_MM(A2)")
    sheet.write_formula("A2", f'=CM_BOOK(Rows!A1:E2,"{_TRIAL_RULEBOOK}")')
    book.close()
    archive.finish(path, {})
    return path


def _refusal(output: str) -> str:
    """Return what a program said, without a warning that means nothing, on one line."""
    lines = [line for line in output.splitlines() if "javaldx" not in line]
    said = " ".join(" ".join(lines).split())
    return said[-400:] or "it said nothing; close LibreOffice and try again"
