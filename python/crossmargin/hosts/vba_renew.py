"""Gives a macro workbook of the user's the VBA of the installed xlwings.

After an upgrade of xlwings a workbook that was filled meanwhile still carries the old VBA, which
cannot load the new DLL. The cells are not touched; the VBA project is made anew, and therefore a
workbook with modules of the user's own is refused. The old file stays as it is.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from typing import TYPE_CHECKING, Final

from crossmargin.hosts import excel_macros, xlwings_runtime
from crossmargin.hosts._archives import UNREADABLE, save
from crossmargin.hosts._compound_file import read_stream
from crossmargin.hosts.vba_project import (
    VERSION_PROPERTY,
    Module,
    document_module,
    made_for,
    own_modules,
    project,
    set_property,
)

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["modules_in", "renew"]

_OURS: Final = frozenset({"xlwings", "xlwings_udfs", excel_macros.MODULE})
_RELATIONS: Final = "xl/_rels/workbook.xml.rels"


def renew(source: Path, target: Path) -> tuple[str, str]:
    """Write a copy of a workbook of ours with new VBA.

    Parameters
    ----------
    source
        An .xlsm that began as the template, as Excel saved it.
    target
        The file to write; it must not be there.

    Returns
    -------
    tuple of str
        The versions of xlwings for which the old and the new file are.

    Raises
    ------
    ValueError
        If the file is none of ours, has macros of the user's, or the target is there.
    OSError
        If a file cannot be read or written.
    """
    if target.suffix.lower() != ".xlsm":
        raise ValueError(f"a workbook with macros is named *.xlsm, was {target}")
    if target.exists():
        raise ValueError(f"{target} exists: name another file")
    before = made_for(source)
    if before is None:
        raise ValueError(f"{source} was not made by crossmargin excel install")
    after = xlwings_runtime.version_of_xlwings()
    try:
        with zipfile.ZipFile(source) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        text = {
            name: data.decode() for name, data in parts.items() if name.endswith((".xml", ".rels"))
        }
        targets = _targets(text)
    except UNREADABLE as damage:
        raise ValueError(f"{source} is damaged: {damage}") from None
    if lacking := {"xl/workbook.xml", "[Content_Types].xml", "_rels/.rels"} - set(text):
        raise ValueError(f"{source} is damaged: it has no {', '.join(sorted(lacking))}")
    place = next((path for kind, path in targets.values() if kind == "vbaProject"), None)
    if place is None or place not in parts:
        raise ValueError(f"{source} has no VBA project")
    foreign = sorted(set(modules_in(parts[place])) - _OURS)
    if foreign:
        raise ValueError(
            f"{source} has macros of your own, which would be lost: {', '.join(foreign)}; export "
            "them, remove them from the workbook, and import them again afterwards"
        )
    parts[place] = project([*_documents(text, targets), *own_modules()])
    set_property(text, VERSION_PROPERTY, after)
    # a signature and the state of windows belong to the old project
    for name in [
        name for name in parts if re.search(r"vbaProject(Signature\w*)?\.bin\.rels", name)
    ]:
        del parts[name], text[name]
    for name in [name for name in parts if re.search(r"vbaProjectSignature\w*\.bin$", name)]:
        del parts[name]
        text["[Content_Types].xml"] = re.sub(
            rf'<Override PartName="/{re.escape(name)}"[^>]*/>', "", text["[Content_Types].xml"]
        )
    save(target, {**parts, **{name: content.encode() for name, content in text.items()}})
    return before, after


def modules_in(vba_project: bytes) -> list[str]:
    """Return the names of the modules of a project, without those of workbook and sheets.

    Parameters
    ----------
    vba_project
        A vbaProject.bin.

    Raises
    ------
    ValueError
        If it cannot be read.
    """
    listed = read_stream(vba_project, "PROJECT").decode("cp1252", "replace")
    return re.findall(r"(?m)^(?:Module|Class|BaseClass)=([^\r\n]+)", listed)


def _targets(text: dict[str, str]) -> dict[str, tuple[str, str]]:
    """Return what the workbook is related to: identity to kind and part."""
    found = {}
    for tag in re.findall(r"<Relationship [^>]*>", text[_RELATIONS]):
        held = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        path = posixpath.normpath(posixpath.join("/xl", held.get("Target", ""))).lstrip("/")
        found[held.get("Id", "")] = (held.get("Type", "").rpartition("/")[2], path)
    return found


def _documents(text: dict[str, str], targets: dict[str, tuple[str, str]]) -> list[Module]:
    """Return the modules of the workbook and of its sheets, by the names that they have."""
    workbook = _code_name(text["xl/workbook.xml"], "workbookPr") or "ThisWorkbook"
    modules = [document_module(workbook, "ThisWorkbook")]
    for identity in re.findall(r'<(?:\w+:)?sheet [^>]*?r:id="([^"]+)"', text["xl/workbook.xml"]):
        kind, path = targets.get(identity, ("", ""))
        name = _code_name(text.get(path, ""), "sheetPr")
        if name is None:
            raise ValueError(f"{path} has no name for VBA: save the workbook in Excel once")
        modules.append(document_module(name, "chart" if kind == "chartsheet" else "sheet"))
    return modules


def _code_name(text: str, element: str) -> str | None:
    found = re.search(rf'<(?:\w+:)?{element}\b[^>]*?\bcodeName="([^"]*)"', text)
    return found[1] if found else None
