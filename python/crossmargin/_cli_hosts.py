"""The commands that set up Excel and LibreOffice, and write workbooks to use or to pass on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from rich.console import Console
from rich.text import Text

from crossmargin._cli_show import plain, print_json
from crossmargin.hosts import (
    excel_doctor,
    excel_install,
    libreoffice_install,
    machine,
    share_copy,
    vba_renew,
)
from crossmargin.hosts.checks import any_wrong, as_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from crossmargin.hosts.checks import Check

__all__ = ["commands"]

_SOMETHING_WRONG: Final = 1
_FILE: Final = click.Path(dir_okay=False, path_type=Path)
_FOLDER: Final = click.Path(file_okay=False, path_type=Path)
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_soffice = click.option(
    "--soffice", type=_FILE, metavar="PATH", help="The program, where there are several."
)
_shared = click.option(
    "--shared", "is_shared", is_flag=True, help="For all users; as root it is always so."
)
_profile = click.option(
    "--profile",
    type=_FOLDER,
    metavar="DIR",
    help="A LibreOffice profile apart from your own, for a trial.",
)


def commands() -> tuple[click.Command, ...]:
    """Return the commands."""
    return excel, libreoffice, template, share


@click.group()
def excel() -> None:
    """Excel on Windows: install, check, uninstall.

    Nothing here has been opened in a real Excel yet.
    """


@excel.command("install")
@click.option(
    "--folder",
    type=_FOLDER,
    metavar="DIR",
    help="Where the add-in goes; on Windows Excel's own start folder is found.",
)
@click.option(
    "--workbook",
    "target",
    type=_FILE,
    metavar="FILE",
    help="The template, *.xlsm; on Windows it goes to your documents.",
)
@_json
def _excel_install(folder: Path | None, target: Path | None, *, as_json: bool) -> int:
    """Write the add-in, the template with macros and the settings, for you alone."""
    done = excel_install.install(machine.ThisMachine(), folder, target)
    if as_json:
        print_json(
            {
                "written": _texts(done.written),
                "kept": _texts(done.kept),
                "xlwings": done.version,
            }
        )
        return 0
    _say("written", done.written)
    _say("left alone, because you changed it", done.kept)
    _next(
        f"The VBA is that of xlwings {done.version}.",
        "Close Excel, then open the template and choose Enable Content.",
        "If a cell says #N/A: crossmargin excel doctor, and in Excel Alt+F8, CrossmarginStatus.",
    )
    return 0


@excel.command("doctor")
@_json
def _excel_doctor(*, as_json: bool) -> int:
    """Look for known troubles; each row says what to do. Exit code 1 if something is wrong."""
    return _report(excel_doctor.checks(machine.ThisMachine()), as_json=as_json)


@excel.command("renew")
@click.argument("file", type=_FILE)
@click.option(
    "--output",
    type=_FILE,
    metavar="FILE",
    help="The new file; left out, the name with -renewed before its ending.",
)
@_json
def _excel_renew(file: Path, output: Path | None, *, as_json: bool) -> int:
    """Write your workbook again with the VBA of the installed xlwings.

    For a template that you have filled, after xlwings was upgraded. FILE stays as it is; the cells
    are copied as they are. A workbook with macros of your own is refused.
    """
    target = output or file.with_name(f"{file.stem}-renewed.xlsm")
    before, after = vba_renew.renew(file, target)
    if as_json:
        print_json({"written": [str(target)], "before": before, "after": after})
    else:
        _say(f"written, for xlwings {after} in place of {before}", [target])
    return 0


@excel.command("uninstall")
@_json
def _excel_uninstall(*, as_json: bool) -> int:
    """Remove what install wrote; files that you changed since are left alone."""
    done = excel_install.uninstall(machine.ThisMachine())
    if as_json:
        print_json(
            {
                "removed": _texts(done.removed),
                "kept": _texts(done.kept),
                "in_use": _texts(done.in_use),
            }
        )
    else:
        _say("removed", done.removed)
        _say("left alone, because it was changed since", done.kept)
        _say("in use, close Excel and ask again", done.in_use)
        if not (done.removed or done.kept or done.in_use):
            _next("Nothing was installed.")
    return _SOMETHING_WRONG if done.in_use else 0


@click.group()
def libreoffice() -> None:
    """LibreOffice 25.2 or newer: install, check, uninstall."""


@libreoffice.command("install")
@_soffice
@_shared
@_profile
@_json
def _libreoffice_install(
    soffice: Path | None, profile: Path | None, *, is_shared: bool, as_json: bool
) -> int:
    """Build the add-in from this package and add it; close LibreOffice first."""
    computer = machine.ThisMachine()
    scope = libreoffice_install.scope_of(computer, is_shared=is_shared, profile=profile)
    program, version = libreoffice_install.install(computer, scope, soffice)
    if as_json:
        print_json(
            {
                "soffice": str(program.soffice),
                "libreoffice": ".".join(map(str, program.version)),
                "version": version,
                "shared": scope.is_shared,
            }
        )
        return 0
    lines = [f"crossmargin {version} added to {program.shown}, {scope.shown}."]
    if scope.is_shared and not is_shared:
        lines.append("You are root, and LibreOffice lets root install for all users only.")
    _next(*lines, "Next: crossmargin template, and open the file in LibreOffice.")
    return 0


@libreoffice.command("doctor")
@_soffice
@_shared
@_profile
@_json
def _libreoffice_doctor(
    soffice: Path | None, profile: Path | None, *, is_shared: bool, as_json: bool
) -> int:
    """Look at LibreOffice, the add-in, and a trial calculation. Exit code 1 if one is wrong."""
    computer = machine.ThisMachine()
    scope = libreoffice_install.scope_of(computer, is_shared=is_shared, profile=profile)
    checks = libreoffice_install.doctor(computer, scope, soffice)
    return _report(checks, as_json=as_json)


@libreoffice.command("uninstall")
@_soffice
@_shared
@_profile
@_json
def _libreoffice_uninstall(
    soffice: Path | None, profile: Path | None, *, is_shared: bool, as_json: bool
) -> int:
    """Take the add-in away; close LibreOffice first."""
    computer = machine.ThisMachine()
    scope = libreoffice_install.scope_of(computer, is_shared=is_shared, profile=profile)
    removed = libreoffice_install.uninstall(computer, scope, soffice)
    if as_json:
        print_json({"removed_from": [str(one.soffice) for one in removed]})
        return 0
    lines = [f"Removed from {one.shown}, {scope.shown}." for one in removed]
    _next(*(lines or ["No LibreOffice has the add-in."]))
    return 0


@click.command("template")
@click.argument("file", type=_FILE, default=Path("crossmargin.xlsx"))
@_json
def template(file: Path, *, as_json: bool) -> int:
    """Write the template workbook, filled with sample books.

    FILE is crossmargin.xlsx in this folder if left out. It is for LibreOffice; in Excel its
    formulas need the add-in (crossmargin excel install writes a template of Excel's own).
    """
    if file.suffix.lower() != ".xlsx":
        raise click.UsageError(f"the template must be named *.xlsx, was {file}")
    if file.exists():
        raise click.UsageError(f"{file} exists and may hold your positions; name another file")
    from crossmargin.template import sample, workbook  # noqa: PLC0415 - slow to load

    workbook.write(file, sample.sample())
    if as_json:
        print_json({"written": [str(file)]})
    else:
        _say("written", [file])
    return 0


@click.command("share-copy")
@click.argument("file", type=_FILE)
@click.option(
    "--output",
    type=_FILE,
    metavar="FILE",
    help="The copy; left out, the name with -values before its ending.",
)
@_json
def share(file: Path, output: Path | None, *, as_json: bool) -> int:
    """Write a copy of a workbook with values alone: no formula, no macro, no link.

    The values are those that were last calculated and saved. A sheet Copy says from which file, by
    its hash, and with which version.
    """
    target = output or file.with_name(f"{file.stem}-values.xlsx")
    share_copy.write(file, target)
    if as_json:
        print_json({"written": [str(target)]})
    else:
        _say("written", [target])
    return 0


def _report(checks: Sequence[Check], *, as_json: bool) -> int:
    table = as_table(checks)
    if as_json:
        print_json(table)
    else:
        console = Console()
        for check in checks:
            style = {"wrong": "bold red", "look": "yellow", "ok": "green"}.get(check.state, "dim")
            line = Text(f"{check.state:<12}", style=style)
            line.append(plain(f"{check.name}: {check.found}"), style="default")
            console.print(line, soft_wrap=True)
            if check.advice:
                console.print(
                    Text(plain(f"{'':<12}-> {check.advice}"), style="dim"), soft_wrap=True
                )
    return _SOMETHING_WRONG if any_wrong(checks) else 0


def _say(title: str, paths: Iterable[Path]) -> None:
    for path in paths:
        Console().print(Text(plain(f"{title}: {path}")), soft_wrap=True)


def _next(*lines: str) -> None:
    for line in lines:
        Console().print(Text(plain(line)), soft_wrap=True)


def _texts(paths: Iterable[Path]) -> list[str]:
    return [str(path) for path in paths]
