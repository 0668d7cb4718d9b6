"""What of each part of a workbook stays in a copy with values alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from crossmargin.hosts._xml_filter import Filter, escaped, in_attribute

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ChartRules", "DrawingRules", "SheetRules", "TableRules", "WorkbookRules", "is_plain"]

_DATA_BARS: Final = "{78C0D931-6437-407d-A8EE-F0AAD7539E65}"
_OF_A_DATA_BAR: Final = "{B025F937-C7B1-47D3-B67F-A62EFF666E3E}"
_SPARKLINES: Final = "{05C60535-1F16-4fd2-B633-F4F36F0B64E0}"
_EXTENSIONS: Final = frozenset({_DATA_BARS, _OF_A_DATA_BAR, _SPARKLINES})
_GROUPS: Final = frozenset(
    "conditionalFormatting conditionalFormattings hyperlinks tableParts ext extLst".split()
)
_OF_SHEET_LEFT_OUT: Final = frozenset(
    """
    sheetProtection protectedRanges scenarios dataConsolidate customSheetViews dataValidations
    customProperties cellWatches smartTags legacyDrawing legacyDrawingHF picture oleObjects controls
    webPublishItems
    """.split()
)
_OF_WORKBOOK_LEFT_OUT: Final = frozenset(
    """
    fileSharing workbookProtection functionGroups externalReferences calcPr oleSize
    customWorkbookViews pivotCaches smartTagPr smartTagTypes webPublishing fileRecoveryPr
    webPublishObjects extLst revisionPtr
    """.split()
)
_REFERENCE: Final = re.compile(
    r"(?:(?:'(?:[^'\[\]|]|'')+'|[^'!,()\[\]|\"=+*/&#]+)!)?"  # a sheet
    r"(?=[$A-Z\d])\$?[A-Z]{0,3}\$?\d*(?::\$?[A-Z]{0,3}\$?\d*)?"  # a cell, column, row, or range
)
_CALL_OR_LINK: Final = re.compile(r"\bCM_|\[|\||#REF!", re.IGNORECASE)


def is_plain(formula: str) -> bool:
    """Return whether a formula is nothing but references to cells of this file, or a constant.

    Parameters
    ----------
    formula
        Its text without the sign.
    """
    text = formula.strip()
    if re.fullmatch(r"-?\d+(\.\d+)?(E[+-]?\d+)?|\"[^\"]*\"|TRUE|FALSE", text, re.IGNORECASE):
        return True
    # a comma within quotes belongs to the name of a sheet
    parts = re.findall(r"(?:'(?:[^']|'')*'|[^,'])+", text)
    return bool(parts) and all(_REFERENCE.fullmatch(part) for part in parts)


class _WithRelations(Filter):
    """Leaves out what stands on a relationship that is left out."""

    def __init__(self, kept: frozenset[str]) -> None:
        self.kept = kept

    def lost(self, attributes: dict[str, str]) -> list[str]:
        """Return the attributes whose relationship is left out."""
        return [name for name in self.relation(attributes) if attributes[name] not in self.kept]


class SheetRules(_WithRelations):
    """A sheet: cells keep their values and lose their formulas.

    Parameters
    ----------
    kept
        The relationships that stay.
    wanted
        Addresses of cells whose calculated texts are put into `said`.
    """

    def __init__(self, kept: frozenset[str], wanted: frozenset[str] = frozenset()) -> None:
        super().__init__(kept)
        self.wanted = wanted
        self.said: dict[str, str] = {}
        self.without_value: list[str] = []
        self.empty: list[str] = []
        self.calculated = 0
        self._had_formula = False
        self._value: str | None = None

    def opened(self, name: str, attributes: dict[str, str]) -> dict[str, str] | None:
        """Return the attributes of an element, or None to leave it out."""
        if name in _OF_SHEET_LEFT_OUT or (
            name == "ext" and attributes.get("uri") not in _EXTENSIONS
        ):
            return None
        if name == "f" and not self.is_within("ext"):  # there it is a reference of a data bar
            self._had_formula = True
            return None
        if name == "c":
            self._had_formula, self._value = False, None
            return {key: value for key, value in attributes.items() if key not in {"cm", "vm"}}
        if name == "sheetPr":
            return {key: value for key, value in attributes.items() if key != "codeName"}
        lost = self.lost(attributes)
        if lost and name != "pageSetup":
            return None
        return {key: value for key, value in attributes.items() if key not in lost}

    def holds(self, name: str) -> bool:
        """Return whether `closed` decides about an element."""
        return name in {"c", "v", "cfRule"} | _GROUPS

    def closed(self, name: str, attributes: dict[str, str], inner: str, text: str) -> str | None:
        """Return what stands in place of a held element."""
        if name == "v":
            self._value = text
            return None
        if name == "cfRule":
            return "" if _CALL_OR_LINK.search(text) else None
        if name in _GROUPS:
            return None if "<" in inner else ""
        return self._cell(attributes, text)

    def _cell(self, attributes: dict[str, str], text: str) -> str | None:
        """Return a cell that was calculated; a text of a formula becomes a text of its own."""
        is_text = attributes.get("t") == "str"
        place = attributes.get("r", "?")
        if place in self.wanted and attributes.get("t") in {"str", "inlineStr"} and text:
            self.said[place] = text
        if self._had_formula:
            if self._value or is_text:
                self.calculated += 1
            else:  # some programs write an empty text as a value of no kind, others no value at all
                (self.without_value if self._value is None else self.empty).append(place)
        if not is_text:
            return None
        prefix = self.prefix
        words = "".join(
            f' {key}="{in_attribute(value)}"' for key, value in attributes.items() if key != "t"
        )
        if not self._value:
            return f"<{prefix}c{words}/>"
        held = f'<{prefix}t xml:space="preserve">{escaped(self._value)}</{prefix}t>'
        return f'<{prefix}c{words} t="inlineStr"><{prefix}is>{held}</{prefix}is></{prefix}c>'


class WorkbookRules(_WithRelations):
    """The list of sheets and names: names that are plain references stay.

    Parameters
    ----------
    kept
        The relationships that stay.
    gone
        Which sheets are left out, counted from zero: names of one sheet count sheets.
    """

    def __init__(self, kept: frozenset[str], gone: Sequence[int] = ()) -> None:
        super().__init__(kept)
        self.gone = gone

    def opened(self, name: str, attributes: dict[str, str]) -> dict[str, str] | None:
        """Return the attributes of an element, or None to leave it out."""
        if name in _OF_WORKBOOK_LEFT_OUT or (name == "sheet" and self.lost(attributes)):
            return None
        if name == "definedName":
            return self._of_its_sheet(attributes)
        left_out = {"codeName"} if name == "workbookPr" else set()
        if name == "workbookView" and self.gone:
            left_out = {"activeTab", "firstSheet"}
        return {key: value for key, value in attributes.items() if key not in left_out}

    def _of_its_sheet(self, attributes: dict[str, str]) -> dict[str, str] | None:
        sheet = attributes.get("localSheetId")
        if {"function", "vbProcedure", "xlm"} & set(attributes) or (
            sheet is not None and (not sheet.isdigit() or int(sheet) in self.gone)
        ):
            return None
        if sheet is None:
            return attributes
        before = sum(place < int(sheet) for place in self.gone)
        return {**attributes, "localSheetId": str(int(sheet) - before)}

    def holds(self, name: str) -> bool:
        """Return whether `closed` decides about an element."""
        return name in {"definedName", "definedNames"}

    def closed(self, name: str, attributes: dict[str, str], inner: str, text: str) -> str | None:
        """Return what stands in place of a held element."""
        del attributes
        if name == "definedNames":
            return None if "<" in inner else ""
        return None if is_plain(text) else ""


class TableRules(Filter):
    """A table: its columns lose their formulas."""

    def opened(self, name: str, attributes: dict[str, str]) -> dict[str, str] | None:
        """Return the attributes of an element, or None to leave it out."""
        if name in {"calculatedColumnFormula", "totalsRowFormula", "extLst", "xmlColumnPr"}:
            return None
        gone = {"totalsRowFunction", "queryTableFieldId", "connectionId", "tableType"}
        return {key: value for key, value in attributes.items() if key not in gone}


class DrawingRules(_WithRelations):
    """A drawing: no macro hangs on a shape, no text is linked."""

    def opened(self, name: str, attributes: dict[str, str]) -> dict[str, str] | None:
        """Return the attributes of an element, or None to leave it out."""
        del name
        if self.lost(attributes):
            return None
        return {key: value for key, value in attributes.items() if key not in {"macro", "textlink"}}

    def holds(self, name: str) -> bool:
        """Return whether `closed` decides about an element."""
        return name in {"graphicFrame", "twoCellAnchor", "oneCellAnchor", "absoluteAnchor"}

    def closed(self, name: str, attributes: dict[str, str], inner: str, text: str) -> str | None:
        """Return what stands in place of a held element: nothing for one that lost its chart."""
        del attributes, text
        if name == "graphicFrame":
            return None if re.search(r"<(\w+:)?chart\b", inner) else ""
        found = re.search(r"<(\w+:)?(graphicFrame|pic|sp|cxnSp|grpSp)\b", inner)
        return None if found else ""


class ChartRules(_WithRelations):
    """A chart: it draws cells of this file and nothing else."""

    def opened(self, name: str, attributes: dict[str, str]) -> dict[str, str] | None:
        """Return the attributes of an element, or None to leave it out."""
        gone = {"externalData", "userShapes", "printSettings", "extLst"}
        return None if name in gone or self.lost(attributes) else attributes

    def holds(self, name: str) -> bool:
        """Return whether `closed` decides about an element."""
        return name in {"f", "ser"}

    def closed(self, name: str, attributes: dict[str, str], inner: str, text: str) -> str | None:
        """Return what stands in place of a held element: a series from elsewhere goes."""
        del attributes
        if name == "f" and not is_plain(text):
            return "\ue000"  # no cell of this file: the series that holds it goes
        return "" if name == "ser" and "\ue000" in inner else None
