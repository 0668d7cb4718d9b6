"""The sheet Start: the answer, the book, how to use the workbook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from crossmargin.template.calls import call, main_book
from crossmargin.template.style import INK, NUMBERS
from crossmargin.template.summary import STATUS, colour_status, status_letter
from crossmargin.template.values import is_error
from crossmargin.template.words import NOT, SHEETS, STEPS

if TYPE_CHECKING:
    from crossmargin.template.blocks import Block
    from crossmargin.template.control import Checked
    from crossmargin.template.page import Page
    from crossmargin.template.values import Value

__all__ = ["BOOK", "ENGINE", "write", "write_book"]

BOOK: Final = main_book("Rule", "BookOptions")
ENGINE: Final = (
    '=IF(ISERROR(Version),"ENGINE NOT LOADED",IF(ISERROR(Example),"ENGINE NOT LOADED",'
    '"ENGINE READY"))'
)
_MEANING: Final = (
    ("OK", "Usage below the watch band, equity above initial margin."),
    ("W", "Usage has reached the watch band."),
    ("C", "Usage has reached the call band: add collateral or reduce."),
    ("R", "Equity is below initial margin: the venue takes no new risk from this account."),
    ("L", "The excess over maintenance margin is negative: the venue may close now."),
    ("?", "No answer: see the reason below and the sheet Checks."),
)


def write_book(page: Page, rule: str, rules: tuple[str, ...], as_of: Value, options: Value) -> None:
    """Write the cells that all other sheets rest on."""
    page.widths("B", 22, 26, 2, 24, 92)
    page.section(12, "Book and engine", 5)
    _label(page, "B14", "Rulebook")
    page.input("C14", "Rule", rule, choices=rules, hint="The rules of which venue apply.")
    _label(page, "B15", "As-of, if not in the data")
    page.input("C15", "AsOf", as_of, hint="A text such as 2026-01-13T12:00:00Z; empty: the latest "
               "timestamp of the positions.")  # fmt: skip
    _label(page, "B16", "Options")
    page.input("C16", "BookOptions", options, hint="partial=1 goes on without rows that have "
               "errors; totals are then #N/A.")  # fmt: skip
    _label(page, "E13", "Version")
    page.single("F13", call("CM_VERSION"), page.styles.text, "Version")
    _label(page, "E14", "Book (key of all inputs)")
    page.single("F14", BOOK, page.styles.get(align="left"), "Book")


def write(page: Page, accounts: Block, checked: Checked) -> None:
    """Write the rest of the sheet, which refers to the others."""
    value = page.calculator.value
    page.head(
        "crossmargin",
        "Margin and liquidation of a crypto-derivatives book: how safe it is, how far from "
        "liquidation, what is closed first.",
    )
    page.section(5, "The answer", 5)
    big = page.styles.get(bold=True, font_size=14, align="center", border=1, border_color="#D5DAE1")
    page.sheet.set_row(5, 32)
    _label(page, "B6", "Status")
    status = status_letter(page)
    page.calculator.note("Status", status)
    page.formula("C6", STATUS, status, big)
    page.define("Status", "C6")
    colour_status(page, "C6")
    for row, (text, name, number) in enumerate(
        (
            ("Usage (1 = liquidation)", "Usage", "usage"),
            ("Excess over maintenance", "ExcessMM", "money"),
            ("Excess over initial", "ExcessIM", "money"),
            ("Adjusted equity", "Equity", "money"),
        ),
        start=7,
    ):
        _label(page, f"B{row}", text)
        style = page.styles.get(num_format=NUMBERS[number], align="center", bold=True)
        page.formula(f"C{row}", f"={name}", value(name), style)
    strong = page.styles.get(bold=True, font_size=11, font_color=INK, align="left", text_wrap=True)
    _label(page, "E6", "Closed first")
    page.formula("F6", "=Headline", value("Headline"), strong)
    _label(page, "E7", "Nearest trigger")
    shown = "none" if accounts.failed else accounts.values("nearest_trigger")[0]
    where = f"Summary!{accounts.cell(1, 'nearest_trigger')}"
    page.formula("F7", f'=IFERROR({where},"none")', "none" if is_error(shown) else shown)
    _label(page, "E8", "What the status means")
    branches = "".join(f'IF(LEFT(Status,1)="{key[0]}","{text}",' for key, text in _MEANING)
    meaning = next(text for key, text in _MEANING if key[0] == status[0])
    page.formula("F8", f'={branches}""{")" * len(_MEANING)}', meaning)
    _label(page, "E9", "Data")
    errors, warnings, cut, outside = (
        value(name) for name in ("PastedErrors", "PastedWarnings", "TablesCut", "CellsOutside")
    )
    refused = "THE BOOK IS REFUSED, see below; "
    page.formula(
        "F9",
        f'=IF(ISERROR(Book),"{refused}","")&PastedErrors&" errors, "&PastedWarnings'
        '&" warnings in the pasted tables; "'
        '&IF(TablesCut+CellsOutside=0,"every table is complete","SOMETHING IS CUT: see Checks")',
        (refused if is_error(value("Book")) else "")
        + f"{errors:g} errors, {warnings:g} warnings in the pasted tables; "
        + ("SOMETHING IS CUT: see Checks" if cut or outside else "every table is complete"),
    )
    _label(page, "E10", "Venue's figures")
    page.formula("F10", "=ReconResult", value("ReconResult"))
    _label(page, "E11", "Worst scenario")
    page.formula("F11", "=WorstScenario", value("WorstScenario"))
    _engine(page)
    _label(page, "E15", "As-of in use")
    page.formula("F15", *checked.as_of, array=True)
    page.define("AsOfInUse", "F15")
    page.calculator.note("AsOfInUse", checked.as_of[1])
    _label(page, "E16", "About the book")
    why, reason = checked.why
    page.formula("F16", f'=IFERROR({why},"the engine is not loaded")', reason,
                 page.styles.get(text_wrap=True, font_size=9))  # fmt: skip
    page.sheet.set_row(15, 26)
    _guide(page)
    page.sheet.print_area(0, 0, 27 + len(SHEETS) + len(NOT), 5)
    page.sheet.fit_to_pages(1, 1)


def _engine(page: Page) -> None:
    ready = not any(is_error(page.calculator.value(name)) for name in ("Version", "Example"))
    _label(page, "B13", "Engine")
    page.formula(
        "C13", ENGINE, "ENGINE READY" if ready else "ENGINE NOT LOADED",
        page.styles.get(bold=True, align="center"),
    )  # fmt: skip
    for word, fill in (("ENGINE READY", "#1E7B3A"), ("ENGINE NOT LOADED", "#B42318")):
        page.sheet.conditional_format(
            "C13",
            {"type": "cell", "criteria": "==", "value": f'"{word}"',
             "format": page.styles.rule(bg_color=fill, font_color="#FFFFFF")},
        )  # fmt: skip


def _guide(page: Page) -> None:
    page.section(18, "Five steps", 5)
    for row, (step, text) in enumerate(STEPS, start=19):
        page.text(f"B{row}", step, page.styles.get(bold=True))
        page.text(f"C{row}", text)
    page.section(25, "Sheets", 5)
    link = page.styles.get(font_color="#1F3FBF", underline=1)
    for row, (name, text) in enumerate(SHEETS, start=26):
        page.sheet.write_url(row - 1, 1, f"internal:'{name}'!A1", link, name)
        page.text(f"C{row}", text)
    after = 27 + len(SHEETS)
    page.section(after, "What it is not", 5)
    for row, text in enumerate(NOT, start=after + 1):
        page.text(f"B{row}", text)


def _label(page: Page, address: str, text: str) -> None:
    page.text(address, text, page.styles.label)
