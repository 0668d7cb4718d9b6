"""Writes macro workbooks (.xlsm, .xlam) on any system, with the standard library alone.

The project holds source text only, no compiled code, in the shape of the project of xlwings' own
``quickstart_standalone.xlsm``: MS-OVBA streams in a compound file. oletools and LibreOffice read
it; it has not been opened in a real Excel.
"""

from __future__ import annotations

import re
import struct
import uuid
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from crossmargin import registry as own_registry
from crossmargin.hosts import excel, excel_macros, xlwings_runtime
from crossmargin.hosts._archives import UNREADABLE, save
from crossmargin.hosts._compound_file import compound_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crossmargin.hosts.excel import Registry

__all__ = [
    "VERSION_PROPERTY",
    "Module",
    "compress",
    "document_module",
    "made_for",
    "own_modules",
    "project",
    "set_property",
    "write_xlsm",
]

_IDENTITY = "{" + str(uuid.uuid5(uuid.NAMESPACE_DNS, "crossmargin")).upper() + "}"
_NAME = xlwings_runtime.PROJECT
_BASES = {
    "ThisWorkbook": "0{00020819-0000-0000-C000-000000000046}",
    "sheet": "0{00020820-0000-0000-C000-000000000046}",
    "chart": "0{00020821-0000-0000-C000-000000000046}",
}
_REFERENCES = {
    "stdole": r"*\G{00020430-0000-0000-C000-000000000046}#2.0#0#C:\Windows\System32\stdole2.tlb"
    "#OLE Automation",
    "Office": r"*\G{2DF8D04C-5BFA-101B-BDE5-00AA0044DE52}#2.0#0#C:\Program Files\Common Files"
    r"\Microsoft Shared\OFFICE16\MSO.DLL#Microsoft Office 16.0 Object Library",
}
_CHUNK = 4096
_PROPERTIES = "docProps/custom.xml"
VERSION_PROPERTY = "crossmargin_xlwings"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006"
_SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
_MACRO_TYPE = "application/vnd.ms-excel.{}.macroEnabled.main+xml"


@dataclass(frozen=True)
class Module:
    """A module of a VBA project.

    Parameters
    ----------
    name
        Its name.
    kind
        ``document`` (the workbook or a sheet) or ``module``.
    source
        Its text, attributes included.
    """

    name: str
    kind: str
    source: str


def write_xlsm(
    template_path: str | Path,
    out_path: str | Path,
    *,
    registry: Registry | None = None,
    udfs: str = excel.UDF_MODULE,
) -> None:
    """Write a copy of a workbook that carries the VBA functions.

    Parameters
    ----------
    template_path
        An .xlsx without macros.
    out_path
        The file to write; a name that ends in ``.xlam`` makes an add-in of it.
    registry
        The functions; left out, `crossmargin.registry`.
    udfs
        The Python module that holds the UDFs.

    Raises
    ------
    ValueError
        If xlwings is not installed, whose version the VBA must have, or its VBA is not known.
    """
    addin = Path(out_path).suffix.lower() == ".xlam"
    with zipfile.ZipFile(template_path) as template:
        parts = {name: template.read(name) for name in template.namelist()}
    text = {name: data.decode() for name, data in parts.items() if name.endswith((".xml", ".rels"))}
    relations = "xl/_rels/workbook.xml.rels"
    tags = map(_attributes, re.findall(r"<Relationship [^>]*>", text[relations]))
    targets = {tag["id"]: tag["target"] for tag in tags}
    sheets = []
    for position, tag in enumerate(re.findall(r"<sheet [^>]*>", text["xl/workbook.xml"]), start=1):
        found = re.search(r'r:id="([^"]+)"', tag)
        if found is None:
            continue
        part = "xl/" + targets[found[1]].removeprefix("/xl/")
        sheets.append(f"Sheet{position}")
        text[part] = _with_code_name(text[part], "worksheet", "sheetPr", sheets[-1])
    text["xl/workbook.xml"] = _with_code_name(
        text["xl/workbook.xml"], "workbook", "workbookPr", "ThisWorkbook"
    )
    text[relations] = text[relations].replace(
        "</Relationships>",
        '<Relationship Id="rIdVba" Target="vbaProject.bin" Type='
        '"http://schemas.microsoft.com/office/2006/relationships/vbaProject"/></Relationships>',
    )
    text["[Content_Types].xml"] = (
        text["[Content_Types].xml"]
        .replace(_SHEET_TYPE, _MACRO_TYPE.format("addin" if addin else "sheet"))
        .replace(
            "</Types>",
            '<Override PartName="/xl/vbaProject.bin" '
            'ContentType="application/vnd.ms-office.vbaProject"/></Types>',
        )
    )
    set_property(text, VERSION_PROPERTY, xlwings_runtime.version_of_xlwings())
    parts.update({name: content.encode() for name, content in text.items()})
    parts["xl/vbaProject.bin"] = project(
        [
            *map(document_module, ("ThisWorkbook", *sheets)),
            *own_modules(registry, udfs=udfs, addin=addin),
        ]
    )
    save(Path(out_path), parts)


def own_modules(
    registry: Registry | None = None, *, udfs: str = excel.UDF_MODULE, addin: bool = False
) -> list[Module]:
    """Return the modules that are ours: the way to xlwings, the wrappers, the macros.

    Parameters
    ----------
    registry
        The functions; left out, `crossmargin.registry`.
    udfs
        The Python module that holds the UDFs.
    addin
        True for an .xlam.

    Raises
    ------
    ValueError
        If xlwings is not installed or its VBA is not known.
    """
    functions = registry or own_registry
    wrappers = excel.vba_module(functions, module=udfs, addin=addin)
    return [
        Module("xlwings", "module", xlwings_runtime.text(addin=addin)),
        Module("xlwings_udfs", "module", wrappers),
        Module(excel_macros.MODULE, "module", excel_macros.vba_macros(functions)),
    ]


def made_for(path: Path) -> str | None:
    """Return the version of xlwings whose VBA a workbook carries; None if it does not say.

    Parameters
    ----------
    path
        A macro workbook; Excel keeps what this reads when it saves the file.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            said = archive.read(_PROPERTIES).decode() if _PROPERTIES in archive.namelist() else ""
    except UNREADABLE:
        return None
    found = re.search(rf'name="{VERSION_PROPERTY}"[^>]*>\s*<vt:lpwstr>([^<]*)<', said)
    return found[1] if found else None


def project(modules: Sequence[Module]) -> bytes:
    """Return a vbaProject.bin with these modules."""
    streams = {module.name: compress(_encoded(module.source)) for module in modules}
    wide = b"".join(
        module.name.encode("cp1252") + b"\0" + module.name.encode("utf-16-le") + b"\0\0"
        for module in modules
    )
    return compound_file(
        {
            "VBA": {
                "dir": compress(_directory(modules)),
                "_VBA_PROJECT": bytes.fromhex("cc61ffff000000"),
                **streams,
            },
            "PROJECT": _encoded(_project_text(modules)),
            "PROJECTwm": wide + b"\0\0",
        }
    )


def compress(data: bytes) -> bytes:
    """Return data in the compression of MS-OVBA 2.4.1."""
    packed = b"\x01"
    for start in range(0, len(data), _CHUNK):
        chunk = data[start : start + _CHUNK]
        tokens = _tokens(chunk)
        if len(tokens) >= _CHUNK:
            packed += struct.pack("<H", 0x3000 | (_CHUNK - 1)) + chunk.ljust(_CHUNK, b"\0")
        else:
            packed += struct.pack("<H", 0xB000 | (len(tokens) - 1)) + tokens
    return packed


def _tokens(chunk: bytes) -> bytes:
    packed, position = b"", 0
    while position < len(chunk):
        flags, group = 0, b""
        for bit in range(8):
            if position >= len(chunk):
                break
            # as many bits for the offset as the position needs, the rest for the length
            offset_bits = max((position - 1).bit_length(), 4)
            longest = min((0xFFFF >> offset_bits) + 3, len(chunk) - position)
            found, length = -1, 3
            while length <= longest:
                # a copy may run into what it copies, so it must only begin before `position`
                end = position + length - 1
                at = chunk.rfind(chunk[position : position + length], 0, end)
                if at < 0:
                    break
                found, length = at, length + 1
            if found < 0:
                group += chunk[position : position + 1]
                position += 1
            else:
                flags |= 1 << bit
                token = (position - found - 1) << (16 - offset_bits) | (length - 1 - 3)
                group += struct.pack("<H", token)
                position += length - 1
        packed += bytes([flags]) + group
    return packed


def _directory(modules: Sequence[Module]) -> bytes:
    """Return the stream `dir`: records of id, size and data."""

    def record(identity: int, data: bytes = b"") -> bytes:
        return struct.pack("<HI", identity, len(data)) + data

    def pair(narrow: int, wide: int, text: str = "") -> bytes:
        return record(narrow, text.encode("cp1252")) + record(wide, text.encode("utf-16-le"))

    long, short, zero = struct.Struct("<I").pack, struct.Struct("<H").pack, bytes(4)
    out = record(0x01, long(3)) + record(0x02, long(0x409)) + record(0x14, long(0x409))
    out += record(0x03, short(1252)) + record(0x04, _NAME.encode()) + pair(0x05, 0x40)
    out += pair(0x06, 0x3D) + record(0x07, zero) + record(0x08, zero)
    out += struct.pack("<HIIH", 0x09, 4, 1, 1) + pair(0x0C, 0x3C)
    for name, library in _REFERENCES.items():
        data = library.encode("cp1252")
        out += pair(0x16, 0x3E, name) + record(0x0D, long(len(data)) + data + bytes(6))
    out += record(0x0F, short(len(modules))) + record(0x13, b"\xff\xff")
    for module in modules:
        out += pair(0x19, 0x47, module.name) + pair(0x1A, 0x32, module.name) + pair(0x1C, 0x48)
        out += record(0x31, zero) + record(0x1E, zero) + record(0x2C, b"\xff\xff")
        out += record(0x21 if module.kind == "module" else 0x22) + record(0x2B)
    return out + record(0x10)


def _project_text(modules: Sequence[Module]) -> str:
    kinds = {"document": "Document={}/&H00000000", "module": "Module={}"}
    key = sum(_IDENTITY.encode()) % 256
    lines = [
        f'ID="{_IDENTITY}"',
        *(kinds[module.kind].format(module.name) for module in modules),
        f'Name="{_NAME}"',
        'HelpContextID="0"',
        'VersionCompatible32="393222000"',
        f'CMG="{_hidden(bytes(4), 0x41, key)}"',
        f'DPB="{_hidden(bytes(1), 0x93, key)}"',
        f'GC="{_hidden(bytes([0xFF]), 0x2E, key)}"',
        "",
        "[Host Extender Info]",
        "&H00000001={3832D640-CF90-11CF-8E43-00A0C911005A};VBE;&H00000000",
        "",
        "[Workspace]",
        *(f"{module.name}=0, 0, 0, 0, C" for module in modules),
    ]
    return "\n".join(lines) + "\n"


def _hidden(data: bytes, seed: int, key: int) -> str:
    """Return data in the "encryption" of MS-OVBA 2.4.3.2, seed fixed to keep files alike."""
    out = [seed, seed ^ 2, seed ^ key]
    clear, last, before = key, out[2], out[1]
    for byte in b"\x07" * ((seed & 6) // 2) + struct.pack("<I", len(data)) + data:
        out.append(byte ^ ((before + clear) & 0xFF))
        before, last, clear = last, out[-1], byte
    return bytes(out).hex().upper()


def document_module(name: str, kind: str | None = None) -> Module:
    """Return the empty module of the workbook or of a sheet.

    Parameters
    ----------
    name
        Its code name.
    kind
        `ThisWorkbook`, `sheet` or `chart`; left out, the workbook by its name, else a sheet.
    """
    kind = kind or ("ThisWorkbook" if name == "ThisWorkbook" else "sheet")
    flags = {
        "GlobalNameSpace": False,
        "Creatable": False,
        "PredeclaredId": True,
        "Exposed": True,
        "TemplateDerived": False,
        "Customizable": True,
    }
    lines = [f'Attribute VB_Name = "{name}"', f'Attribute VB_Base = "{_BASES[kind]}"']
    lines += [f"Attribute VB_{flag} = {value}" for flag, value in flags.items()]
    return Module(name, "document", "\n".join(lines) + "\n")


def _encoded(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode("cp1252")


def set_property(text: dict[str, str], name: str, value: str) -> None:
    """Set a property of the document, which survives when Excel saves it.

    Parameters
    ----------
    text
        The parts of the workbook that are text, changed in place.
    name
        The property.
    value
        Its text.
    """
    if _PROPERTIES in text:
        known = rf'(name="{name}"[^>]*>\s*<vt:lpwstr>)[^<]*<'
        text[_PROPERTIES], found = re.subn(known, rf"\g<1>{value}<", text[_PROPERTIES])
        if found:
            return
        taken = [int(number) for number in re.findall(r'\bpid="(\d+)"', text[_PROPERTIES])]
    else:
        taken = []
        text[_PROPERTIES] = (
            '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
            f'<Properties xmlns="{_OFFICE}/custom-properties" '
            f'xmlns:vt="{_OFFICE}/docPropsVTypes"></Properties>'
        )
        text["[Content_Types].xml"] = text["[Content_Types].xml"].replace(
            "</Types>",
            f'<Override PartName="/{_PROPERTIES}" ContentType="application/'
            'vnd.openxmlformats-officedocument.custom-properties+xml"/></Types>',
        )
        text["_rels/.rels"] = text["_rels/.rels"].replace(
            "</Relationships>",
            f'<Relationship Id="rIdProperties" Target="{_PROPERTIES}" '
            f'Type="{_OFFICE}/relationships/custom-properties"/></Relationships>',
        )
    number = max([1, *taken]) + 1  # the first two are taken by the format
    added = (
        f'<property fmtid="{{D5CDD505-2E9C-101B-9397-08002B2CF9AE}}" pid="{number}" '
        f'name="{name}"><vt:lpwstr>{value}</vt:lpwstr></property></Properties>'
    )
    text[_PROPERTIES] = text[_PROPERTIES].replace("</Properties>", added)


def _attributes(tag: str) -> dict[str, str]:
    return {name.lower(): value for name, value in re.findall(r'(\w+)="([^"]*)"', tag)}


def _with_code_name(text: str, root: str, element: str, name: str) -> str:
    """Name a sheet or the workbook for VBA; without it Excel invents a second module."""
    if re.search(rf"<{element}\b", text):
        return re.sub(rf"<{element}\b", f'<{element} codeName="{name}"', text, count=1)
    return re.sub(rf"(<{root}\b[^>]*>)", rf'\1<{element} codeName="{name}"/>', text, count=1)
