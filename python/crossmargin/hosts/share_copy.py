"""A copy of a workbook to pass on: values alone, no formula, no macro, no link to anything.

What is not known to be harmless is left out: only sheets, their tables, drawings, charts and
pictures are carried over, each through rules of its own (`_share_rules`). Texts stay texts.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from crossmargin.hosts import _share_rules as rules
from crossmargin.hosts._archives import UNREADABLE, save
from crossmargin.hosts._xml_filter import Filter, Refused, elements, escaped, in_attribute
from crossmargin.hosts.manifest import hash_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["STAMP_SHEET", "write"]

STAMP_SHEET: Final = "Copy"
_OWN_PART: Final = re.compile(r"xl/(?:(?!_rels/)[A-Za-z]+/)?[\w .-]+\.(?:xml|png|jpe?g)")
_LARGEST: Final = 1 << 30  # bytes of all parts together; more is no workbook of a person
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006"
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_OFFICE_TYPE: Final = "application/vnd.openxmlformats-officedocument"
_PICTURES: Final = {"png": "image/png", "jpeg": "image/jpeg", "jpg": "image/jpeg"}

Rules = Callable[[frozenset[str]], Filter]


@dataclass(frozen=True)
class _Kind:
    """What is done with the parts that a relationship of one kind leads to."""

    content_type: str
    rules: Rules | None
    below: tuple[str, ...] = ()


_KINDS: Final = {
    "worksheet": _Kind(
        f"{_OFFICE_TYPE}.spreadsheetml.worksheet+xml", rules.SheetRules, ("drawing", "table")
    ),
    "styles": _Kind(f"{_OFFICE_TYPE}.spreadsheetml.styles+xml", lambda _: Filter()),
    "sharedStrings": _Kind(f"{_OFFICE_TYPE}.spreadsheetml.sharedStrings+xml", lambda _: Filter()),
    "theme": _Kind(f"{_OFFICE_TYPE}.theme+xml", lambda _: Filter()),
    "table": _Kind(f"{_OFFICE_TYPE}.spreadsheetml.table+xml", lambda _: rules.TableRules()),
    "drawing": _Kind(f"{_OFFICE_TYPE}.drawing+xml", rules.DrawingRules, ("chart", "image")),
    "chart": _Kind(f"{_OFFICE_TYPE}.drawingml.chart+xml", rules.ChartRules),
    "image": _Kind("", None),
}
_NAMED: Final = {"Book": "Book", "OptionBook": "Second book", "Version": "Engine"}
"""Named cells of the template that say what was calculated, and by what."""
_OF_WORKBOOK: Final = ("worksheet", "styles", "sharedStrings", "theme")


@dataclass
class _Copy:
    source: zipfile.ZipFile
    wanted: dict[tuple[str, str], str] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    parts: dict[str, bytes] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    without_value: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    calculated: int = 0


@dataclass(frozen=True)
class _Sheet:
    name: str
    path: str
    number: int
    is_kept: bool
    is_hidden: bool


def write(source: Path, target: Path) -> None:
    """Write the copy.

    The same file gives the same bytes.

    Parameters
    ----------
    source
        An .xlsx or .xlsm whose values were calculated and saved.
    target
        The file to write, an .xlsx.

    Raises
    ------
    ValueError
        If the file is no such workbook, or a cell with a formula has no value.
    OSError
        If a file cannot be read or written.
    """
    if target.suffix.lower() != ".xlsx":
        raise ValueError(f"a copy with values alone is named *.xlsx, was {target}")
    if target.exists() and target.samefile(source):
        raise ValueError(f"the copy would replace {source} itself: name another file")
    data = source.read_bytes()
    try:
        with zipfile.ZipFile(source) as archive:
            parts = _parts(archive, _stamp(source.name, data))
    except (Refused, *UNREADABLE) as problem:
        raise ValueError(
            f"{source} is no .xlsx or .xlsm that can be copied (with a password?): {problem}"
        ) from None
    save(target, parts)


def _parts(archive: zipfile.ZipFile, stamp: list[tuple[str, str]]) -> dict[str, bytes]:
    if sum(entry.file_size for entry in archive.infolist()) > _LARGEST:
        raise Refused("unpacked it is larger than 1 GB")
    copy = _Copy(archive)
    found = _relations(archive, "")
    place = next((path for kind, path in found.values() if kind == "officeDocument"), None)
    if place is None:
        raise Refused("it names no workbook")
    sheets = _sheets(copy, place)
    if not any(sheet.is_kept for sheet in sheets):
        raise Refused("it has no sheet with cells")
    copy.wanted = _wanted(copy, place, sheets)
    kept = _kept(copy, place, _OF_WORKBOOK)
    lacking = copy.without_value + ([] if copy.calculated else copy.empty)
    if lacking:
        first = ", ".join(lacking[:3])
        raise ValueError(
            f"{archive.filename}: {len(lacking)} cells with a formula have no value "
            f"({first}): open it, calculate and save"
        )
    stamp += [(title, copy.said[title]) for title in _NAMED.values() if title in copy.said]
    for title, names in (
        ("Hidden sheets in it", [one.name for one in sheets if one.is_kept and one.is_hidden]),
        ("Left out", [one.name for one in sheets if not one.is_kept]),
    ):
        if names:
            stamp.append((title, ", ".join(names)))
    gone = [place for place, sheet in enumerate(sheets) if not sheet.is_kept]
    workbook = rules.WorkbookRules(frozenset(kept), gone).passed(archive.read(place)).decode()
    copy.parts[place] = _with_stamp(copy, place, workbook, kept, (sheets, stamp))
    copy.types[place] = f"{_OFFICE_TYPE}.spreadsheetml.sheet.main+xml"
    copy.parts["docProps/app.xml"] = _application()
    copy.types["docProps/app.xml"] = f"{_OFFICE_TYPE}.extended-properties+xml"
    relations = {
        "rId1": ("officeDocument", place),
        "rId2": ("extended-properties", "docProps/app.xml"),
    }
    copy.parts["_rels/.rels"] = _relations_text(relations, "")
    return {"[Content_Types].xml": _content_types(copy.types), **copy.parts}


def _wanted(copy: _Copy, place: str, sheets: Sequence[_Sheet]) -> dict[tuple[str, str], str]:
    """Return where the named cells stand: part and address to what the stamp calls them."""
    text = copy.source.read(place).decode("utf-8", "replace")
    paths = {sheet.name: sheet.path for sheet in sheets}
    found = {}
    for name, title in _NAMED.items():
        reference = r"'?([^<'!]+)'?!\$([A-Z]+)\$(\d+)"
        cell = re.search(rf'definedName [^>]*\bname="{name}"[^>]*>{reference}<', text)
        if cell and cell[1] in paths:
            found[paths[cell[1]], f"{cell[2]}{cell[3]}"] = title
    return found


def _sheets(copy: _Copy, place: str) -> list[_Sheet]:
    """Return the sheets of every kind in their order."""
    related = _relations(copy.source, place)
    listed = []
    for found in elements(copy.source.read(place), "sheet"):
        kind, path = related.get(found.get("id", ""), ("", ""))
        number = int(found.get("sheetId", "0")) if found.get("sheetId", "").isdigit() else 0
        is_hidden = found.get("state", "visible") != "visible"
        listed.append(_Sheet(found.get("name", ""), path, number, kind in _OF_WORKBOOK, is_hidden))
    return listed


def _kept(copy: _Copy, owner: str, kinds: tuple[str, ...]) -> dict[str, tuple[str, str]]:
    """Carry over what hangs on a part, and return its relationships that stay."""
    return {
        identity: (kind, path)
        for identity, (kind, path) in _relations(copy.source, owner).items()
        if kind in kinds and _carry(copy, kind, path)
    }


def _carry(copy: _Copy, kind: str, path: str) -> bool:
    if path in copy.parts:
        return True
    if not _OWN_PART.fullmatch(path) or path not in copy.source.namelist():
        raise Refused(f"it names a part {path!r} that it cannot have")
    what = _KINDS[kind]
    content = copy.source.read(path)
    if what.rules is None:
        content_type = _PICTURES.get(path.rpartition(".")[2].lower())
        if content_type is None:
            return False
        copy.parts[path], copy.types[path] = content, content_type
        return True
    kept = _kept(copy, path, what.below)
    passing = what.rules(frozenset(kept))
    if isinstance(passing, rules.SheetRules):
        passing.wanted = frozenset(cell for owner, cell in copy.wanted if owner == path)
    copy.parts[path] = passing.passed(content)
    copy.types[path] = what.content_type
    if isinstance(passing, rules.SheetRules):
        name = posixpath.basename(path)
        copy.without_value += [f"{name} {cell}" for cell in passing.without_value]
        copy.empty += [f"{name} {cell}" for cell in passing.empty]
        copy.calculated += passing.calculated
        for cell, text in passing.said.items():
            copy.said[copy.wanted[path, cell]] = text
    if kept:
        copy.parts[_relations_of(path)] = _relations_text(kept, path)
    return True


def _relations_of(owner: str) -> str:
    folder, name = posixpath.split(owner)
    return posixpath.join(folder, "_rels", f"{name}.rels")


def _relations(archive: zipfile.ZipFile, owner: str) -> dict[str, tuple[str, str]]:
    """Return the relationships of a part within the file: identity to kind and path."""
    place = _relations_of(owner)
    if place not in archive.namelist():
        return {}
    found = {}
    for relation in elements(archive.read(place), "Relationship"):
        if relation.get("TargetMode") == "External":
            continue
        kind = relation.get("Type", "").rpartition("/")[2]
        joined = posixpath.join("/", posixpath.dirname(owner), relation.get("Target", ""))
        found[relation.get("Id", "")] = (kind, posixpath.normpath(joined).lstrip("/"))
    return found


def _relations_text(kept: dict[str, tuple[str, str]], owner: str) -> bytes:
    folder = posixpath.dirname(owner)
    lines = "".join(
        f'<Relationship Id="{in_attribute(identity)}" Type="{_OFFICE}/relationships/{kind}" '
        f'Target="{in_attribute(posixpath.relpath(path, folder or "."))}"/>'
        for identity, (kind, path) in kept.items()
    )
    return _xml(f'<Relationships xmlns="{_PACKAGE}/relationships">{lines}</Relationships>')


def _content_types(types: dict[str, str]) -> bytes:
    lines = "".join(
        f'<Override PartName="/{in_attribute(path)}" ContentType="{kind}"/>'
        for path, kind in types.items()
    )
    default = (
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
    )
    return _xml(f'<Types xmlns="{_PACKAGE}/content-types">{default}{lines}</Types>')


def _with_stamp(
    copy: _Copy,
    place: str,
    workbook: str,
    kept: dict[str, tuple[str, str]],
    said: tuple[list[_Sheet], list[tuple[str, str]]],
) -> bytes:
    """Add the sheet that says what this file is, after all others."""
    sheets, stamp = said
    name = _free(STAMP_SHEET, {sheet.name.lower() for sheet in sheets})
    identity = _free("rIdStamp", {one.lower() for one in kept})
    path = (
        f"xl/worksheets/{_free('stamp', {posixpath.basename(one)[:-4] for one in copy.parts})}.xml"
    )
    number = max(sheet.number for sheet in sheets) + 1
    prefix = re.search(r"<(\w+:)?sheets\b", workbook)
    mark = (prefix[1] or "") if prefix else ""
    added = (
        f'<{mark}sheet name="{name}" sheetId="{number}" '
        f'xmlns:stamp="{_OFFICE}/relationships" stamp:id="{identity}"/></{mark}sheets>'
    )
    rows = "".join(
        f'<row r="{row}">'
        + "".join(
            f'<c r="{column}{row}" t="inlineStr"><is><t xml:space="preserve">{escaped(text)}'
            "</t></is></c>"
            for column, text in zip("AB", texts, strict=True)
        )
        + "</row>"
        for row, texts in enumerate(stamp, start=1)
    )
    page = (
        '<pageMargins left="0.5" right="0.5" top="0.5" bottom="0.5" header="0.3" footer="0.3"/>'
        '<pageSetup paperSize="9" orientation="landscape" fitToHeight="0"/>'
    )
    fitted = '<sheetPr><pageSetUpPr fitToPage="1"/></sheetPr>'
    columns = '<cols><col min="1" max="1" width="22"/><col min="2" max="2" width="90"/></cols>'
    copy.parts[path] = _xml(
        f'<worksheet xmlns="{_MAIN}">{fitted}{columns}<sheetData>{rows}</sheetData>{page}'
        "</worksheet>"
    )
    copy.types[path] = _KINDS["worksheet"].content_type
    related = {**kept, identity: ("worksheet", path)}
    copy.parts[_relations_of(place)] = _relations_text(related, place)
    return workbook.replace(f"</{mark}sheets>", added, 1).encode()


def _free(name: str, taken: set[str]) -> str:
    """Return a name that is not among those taken (in small letters), with a number if need be."""
    number = 1
    while f"{name}{number if number > 1 else ''}".lower() in taken:
        number += 1
    return f"{name}{number if number > 1 else ''}"


def _stamp(name: str, data: bytes) -> list[tuple[str, str]]:
    return [
        ("What this is", "A copy with values alone: no formulas, no macros, no links."),
        ("Values", "As last calculated and saved in the workbook; nothing was calculated again."),
        ("Copied from", name),
        ("SHA-256 of that file", hash_of(data)),
        ("Copied by", f"crossmargin {version('crossmargin')}"),
    ]


def _application() -> bytes:
    space = f"{_OFFICE}/extended-properties"
    return _xml(f'<Properties xmlns="{space}"><Application>crossmargin</Application></Properties>')


def _xml(body: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n{body}'.encode()
