"""The last touch on a workbook file: true errors, its own generator, the same bytes each time."""

from __future__ import annotations

import re
import zipfile
from typing import TYPE_CHECKING, Final

from crossmargin.template.values import ERROR_MARK

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["finish"]

_FIRST_DATE: Final = (1980, 1, 1, 0, 0, 0)
_STRING: Final = re.compile(r"<si>(.*?)</si>", re.DOTALL)
_SHARED: Final = re.compile(r'(<c [^>]*?)t="s"><v>(\d+)</v></c>')
_RESULT: Final = re.compile(rf't="str"(>(?:(?!</c>).)*<v>){ERROR_MARK}(#[^<]*)</v>', re.DOTALL)
_APPLICATION: Final = re.compile(r"<Application>.*?</Application>")
_ROW: Final = re.compile(r"<row (?![^>]* ht=)([^>]*?)(/?)>")
_DEFAULT: Final = (' defaultRowHeight="15"', ' defaultRowHeight="15" customHeight="1"')
_USUAL_HEIGHT: Final = r'<row \1 ht="15" customHeight="1"\2>'
_LABELS: Final = '<c:showLegendKey val="0"/><c:showVal val="1"/>' + "".join(
    f'<c:show{word} val="0"/>' for word in ("CatName", "SerName", "Percent", "BubbleSize")
)
_BARS: Final = re.compile(r"<c:barChart>.*?</c:barChart>", re.DOTALL)
_LINES: Final = re.compile(r"<c:lineChart>.*?</c:lineChart>", re.DOTALL)
_SHOWN: Final = '<c:plotVisOnly val="1"/>'


def _upright(found: re.Match[str]) -> str:
    """Return a bar chart whose series say that they are not inverted below zero."""
    own = r"(<c:ser>.*?</c:spPr>)(?=<c:(?:dLbls|cat)>)"
    return re.sub(own, r'\1<c:invertIfNegative val="0"/>', found[0], flags=re.DOTALL)


def _straight(found: re.Match[str]) -> str:
    """Return a line chart whose series say that they are not smoothed."""
    return found[0].replace("</c:ser>", '<c:smooth val="0"/></c:ser>')


def finish(path: Path, areas: Mapping[str, str]) -> None:
    """Rewrite a file of XlsxWriter in place.

    Parameters
    ----------
    path
        The file.
    areas
        What is printed of a sheet where that is more than one range; each begins a page.

    Notes
    -----
    * What was marked as an error becomes an error value; XlsxWriter can only write texts.
    * The generator is called crossmargin: LibreOffice then calculates everything on load, while it
      trusts the values of files that name Microsoft Excel.
    * Every row says its height, the usual one too. Otherwise LibreOffice measures every text of
      every row while it opens the file, conditional formats included: three fifths of that time.
    * Charts say what Excel takes for granted: which labels they do not show, that a bar below zero
      is not inverted, that lines are straight, and that an empty cell is no zero. In a file of an
      unknown generator LibreOffice takes the opposite for granted.
    """
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    strings = "xl/sharedStrings.xml"
    shared = parts[strings].decode()
    errors = {
        str(place): found.group(1)
        for place, text in enumerate(_STRING.findall(shared))
        if (found := re.search(rf"{ERROR_MARK}(#[^<]*)", text))
    }
    parts[strings] = re.sub(rf"<t>{ERROR_MARK}#[^<]*</t>", "<t></t>", shared).encode()
    for name, content in list(parts.items()):
        if name.startswith("xl/worksheets/sheet"):
            text = _SHARED.sub(
                lambda cell: (
                    f'{cell[1]}t="e"><v>{errors[cell[2]]}</v></c>' if cell[2] in errors else cell[0]
                ),
                content.decode(),
            )
            text = _ROW.sub(_USUAL_HEIGHT, text.replace(*_DEFAULT, 1))
            parts[name] = _RESULT.sub(r't="e"\1\2</v>', text).encode()
        elif name.startswith("xl/charts/chart"):
            text = content.decode().replace('<c:showVal val="1"/>', _LABELS)
            text = _LINES.sub(_straight, _BARS.sub(_upright, text))
            parts[name] = text.replace(_SHOWN, f'{_SHOWN}<c:dispBlanksAs val="gap"/>').encode()
        elif name == "xl/workbook.xml":
            text = content.decode()
            for sheet, area in areas.items():
                text = re.sub(rf"(Print_Area\"[^>]*>){sheet}![^<]*<", rf"\g<1>{area}<", text)
            parts[name] = text.encode()
        elif name == "docProps/app.xml":
            named = "<Application>crossmargin</Application>"
            parts[name] = _APPLICATION.sub(named, content.decode()).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in parts.items():
            entry = zipfile.ZipInfo(name, _FIRST_DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
