"""A copy with values alone: what it keeps, what it leaves out, what it refuses."""

from __future__ import annotations

import hashlib
import random
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import openpyxl
import pytest
import xlsxwriter
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from crossmargin import cli
from crossmargin.hosts import libreoffice, share_copy, vba_project
from crossmargin.hosts._share_rules import is_plain
from tests.host import office
from tests.host.office import Office
from tests.host.template_cells import named

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openpyxl.workbook.workbook import Workbook

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*extension is not supported:UserWarning"),
    pytest.mark.filterwarnings("ignore:datetime:DeprecationWarning"),
]

TEMPLATE = Path(__file__).parents[2] / "workbook" / "crossmargin.xlsx"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
TEXTS = [
    "=cmd|'/c calc'!A1",
    "@SUM(A1)",
    "+1",
    "-1+1",
    "\tx",
    "\u202eabc",
    "<b>&\"'",
    "a\nb",
    " x ",
]


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copy")
    vba_project.write_xlsm(TEMPLATE, folder / "book.xlsm")
    assert cli.main(["share-copy", str(folder / "book.xlsm")]) == 0
    return folder / "book-values.xlsx"


def everything(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name).decode("utf-8", "replace") for name in archive.namelist()}


def harmless(path: Path) -> None:
    """Assert that nothing in a file is calculated, run, or fetched from elsewhere."""
    parts = everything(path)
    known = re.compile(
        r"\[Content_Types\]\.xml|_rels/\.rels|docProps/app\.xml"
        r"|xl/(_rels/)?[A-Za-z]+\.xml(\.rels)?|xl/(worksheets|drawings|charts|tables|theme|media)/.*"
    )
    assert [name for name in parts if not known.fullmatch(name)] == []
    for name, text in parts.items():
        assert "TargetMode" not in text, name
        assert not re.search(r"vbaProject|externalLink|macroEnabled|connections", text), name
        if name.startswith("xl/worksheets/sheet"):
            outside = re.sub(r"<(\w+:)?ext .*?</(\w+:)?ext>", "", text, flags=re.DOTALL)
            assert not re.search(r"<(\w+:)?f\b", outside), name
            assert not re.search(
                r"<(\w+:)?(dataValidation|legacyDrawing|oleObject|control)\b", text
            )
        if name.startswith("xl/tables"):
            assert "Formula" not in text
        if name.startswith("xl/drawings/d"):
            assert not re.search(r" (macro|textlink)=", text)
    for formula in re.findall(
        r"<(?:\w+:)?(?:definedName|f|formula)\b[^>]*>([^<]*)<", "".join(parts.values())
    ):
        assert not re.search(r"CM_|\[|\|", formula), formula


def test_the_copy_of_the_template_shows_the_same_values_and_calculates_nothing(
    copied: Path,
) -> None:
    harmless(copied)
    original = openpyxl.load_workbook(TEMPLATE, data_only=True)
    copy = openpyxl.load_workbook(copied)
    assert copy.sheetnames == [*original.sheetnames, "Copy"]
    compared = 0
    for sheet in original:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.value not in {None, ""}:
                    held = copy[sheet.title][cell.coordinate]
                    assert held.value == cell.value
                    assert held.data_type != "f"
                    assert held.number_format == cell.number_format
                    compared += 1
    assert compared > 5_000


def test_what_a_reader_looks_at_is_still_there(copied: Path) -> None:
    before, after = everything(TEMPLATE), everything(copied)
    for kind in ("charts/chart", "tables/table", "drawings/drawing"):
        assert count(after, kind) == count(before, kind) > 0
    for mark in ("<conditionalFormatting", "<headerFooter", "<cols", "<pageSetup"):
        assert together(after).count(mark) == together(before).count(mark), mark
    names = set(openpyxl.load_workbook(copied).defined_names)
    assert {"MaintenanceMargin", "Book"} <= names


def count(parts: Mapping[str, str], kind: str) -> int:
    return sum(name.startswith(f"xl/{kind}") for name in parts)


def together(parts: Mapping[str, str]) -> str:
    return "".join(text for name, text in parts.items() if name.startswith("xl/worksheets/sheet"))


def test_the_copy_says_from_which_file_it_was_made(copied: Path) -> None:
    sheet = openpyxl.load_workbook(copied)["Copy"]
    said = {row[0]: row[1] for row in sheet.iter_rows(values_only=True)}
    source = copied.with_name("book.xlsm")
    assert said["Copied from"] == "book.xlsm"
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    assert said["SHA-256 of that file"] == digest
    assert str(said["Copied by"]).startswith("crossmargin ")
    address, start = named(TEMPLATE, "Book")
    template = openpyxl.load_workbook(TEMPLATE, data_only=True)
    assert said["Book"] == template[start][address].value
    assert "hyperliquid@" in str(said["Book"])
    assert "crossmargin " in str(said["Engine"])


def test_the_same_file_gives_the_same_bytes(copied: Path) -> None:
    before = copied.read_bytes()
    share_copy.write(copied.with_name("book.xlsm"), copied)
    assert copied.read_bytes() == before


def test_libreoffice_opens_the_copy_with_its_values(copied: Path, tmp_path: Path) -> None:
    reason = office.missing()
    if reason:
        pytest.skip(reason)
    with Office(tmp_path) as started:
        started.open(copied)
        address, sheet = named(TEMPLATE, "MaintenanceMargin")
        margin = started.cell(address, sheet)
        expected = openpyxl.load_workbook(TEMPLATE, data_only=True)[sheet][address].value
        assert margin.value == expected
        assert not margin.formula.startswith("=")
        assert started.cell("B1", "Copy").text.startswith("A copy with values alone")


def hostile(folder: Path, prefix: str = "") -> Path:
    """Write a workbook with everything that must not be passed on."""
    plain = folder / "plain.xlsx"
    book = xlsxwriter.Workbook(plain, {"strings_to_formulas": False})
    sheet = book.add_worksheet("Main")
    sheet.write_column("A1", TEXTS)
    for row, text in enumerate(TEXTS):
        sheet.write_formula(row, 1, "=A1", None, text)
    sheet.write_formula("C1", "=1/0", None, "#DIV/0!")
    sheet.write_formula("C2", "=TRUE", None, True)
    sheet.write_formula("C3", "=2*3", None, 6)
    sheet.write_url("D1", "https://example.com/steal", string="look")
    sheet.write_url("D2", "internal:'Main'!A1", string="inside")
    sheet.write_comment("D3", "a private remark")
    sheet.data_validation("D4", {"validate": "custom", "value": "=CM_MM(D4)"})
    sheet.conditional_format(
        "A1:A9", {"type": "formula", "criteria": "=CM_MM(A1)>1", "format": None}
    )
    sheet.conditional_format("A1:A9", {"type": "formula", "criteria": "=$C$3>1", "format": None})
    sheet.insert_textbox("F2", "box", {"textlink": "=Main!$A$1"})
    sheet.print_area("A1:C9")
    sheet.protect("secret")
    book.add_worksheet("Hidden").hide()
    book.define_name("Linked", "='[other.xlsx]Main'!$A$1")
    book.define_name("Called", "=CM_MM(Main!$A$1)")
    book.define_name("Started", "=cmd|'/c calc'!A1")
    book.define_name("Good", "=Main!$A$1:$C$3")
    book.define_name("Half", "=0.5")
    chart = book.add_chart({"type": "bar"})
    chart.add_series({"values": "=Main!$E$1:$E$3"})
    chart.add_series({"values": "=Main!$B$1:$B$3"})
    sheet.insert_chart("H2", chart)
    book.close()
    parts = everything(plain)
    chart_part = "xl/charts/chart1.xml"
    parts[chart_part] = parts[chart_part].replace("Main!$B$1", "[other.xlsx]Main!$B$1")
    parts["xl/externalLinks/externalLink1.xml"] = "<externalLink/>"
    parts["xl/vbaProject.bin"] = "macros"
    parts["xl/connections.xml"] = "<connections/>"
    relations = "xl/_rels/workbook.xml.rels"
    kinds = ("externalLink", "vbaProject", "connections", "xlMacrosheet")
    added = "".join(
        f'<Relationship Id="x{kind}" Type="http://x/{kind}" Target="{kind}.xml"/>' for kind in kinds
    )
    parts[relations] = parts[relations].replace("</Relationships>", f"{added}</Relationships>")
    parts["xl/workbook.xml"] = parts["xl/workbook.xml"].replace(
        "</sheets>",
        "</sheets>"
        '<externalReferences><externalReference r:id="xexternalLink"/></externalReferences>',
    )
    parts["xl/workbook.xml"] = parts["xl/workbook.xml"].replace(
        "<sheets>", '<sheets><sheet name="Macro1" sheetId="9" r:id="xxlMacrosheet"/>'
    )
    # names of one sheet count sheets, and a macro sheet now comes first
    parts["xl/workbook.xml"] = parts["xl/workbook.xml"].replace(
        'localSheetId="0"', 'localSheetId="1"'
    )
    main = "xl/worksheets/sheet1.xml"
    if prefix:
        body = re.sub(r"<(/?)(?=[a-zA-Z])", rf"<\g<1>{prefix}:", parts[main])
        parts[main] = body.replace(f'xmlns="{MAIN}"', f'xmlns:{prefix}="{MAIN}"')
    made = folder / "hostile.xlsx"
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return made


@pytest.mark.parametrize("prefix", ["", "x"])
def test_what_could_calculate_run_or_fetch_is_left_out(tmp_path: Path, prefix: str) -> None:
    share_copy.write(hostile(tmp_path, prefix), tmp_path / "copy.xlsx")
    harmless(tmp_path / "copy.xlsx")
    text = "".join(everything(tmp_path / "copy.xlsx").values())
    for word in ("example.com", "private remark", "other.xlsx", "secret", "Started"):
        assert word not in text
    book = openpyxl.load_workbook(tmp_path / "copy.xlsx")
    assert book.sheetnames == ["Main", "Hidden", "Copy"]
    said = {row[0]: row[1] for row in book["Copy"].iter_rows(values_only=True)}
    assert said["Hidden sheets in it"] == "Hidden"
    assert said["Left out"] == "Macro1"
    assert book["Main"].print_area == "'Main'!$A$1:$C$9"
    assert set(book.defined_names) == {"Good", "Half"}
    sheet = book["Main"]
    assert texts(book, "A") == texts(book, "B") == TEXTS
    assert [sheet["C1"].value, sheet["C2"].value, sheet["C3"].value] == ["#DIV/0!", True, 6]
    assert [sheet["C1"].data_type, sheet["A1"].data_type] == ["e", "s"]
    assert sheet["D2"].hyperlink is not None
    assert len(list(sheet.conditional_formatting)) == 1
    chart = everything(tmp_path / "copy.xlsx")["xl/charts/chart1.xml"]
    assert chart.count("<c:ser>") == 1


def texts(book: Workbook, column: str) -> list[object]:
    return [book["Main"][f"{column}{row}"].value for row in range(1, len(TEXTS) + 1)]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@example(["=1+1", "\u202e", "]]>", "&amp;", "_x000D_", "x" * 32_767])
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1)))
def test_any_text_comes_out_as_it_was(tmp_path: Path, given_texts: list[str]) -> None:
    source, target = tmp_path / "texts.xlsx", tmp_path / "texts-values.xlsx"
    book = xlsxwriter.Workbook(source, {"strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet("Main")
    for row, text in enumerate(given_texts):
        sheet.write_string(row, 0, text)
        sheet.write_formula(row, 1, "=A1", None, text)
    book.close()
    share_copy.write(source, target)
    before = openpyxl.load_workbook(source, data_only=True)["Main"]
    after = openpyxl.load_workbook(target)["Main"]
    for row in range(1, len(given_texts) + 1):
        for column in (1, 2):
            assert after.cell(row, column).value == before.cell(row, column).value
            assert after.cell(row, column).data_type == before.cell(row, column).data_type


def test_a_copy_of_a_copy_has_two_stamps(copied: Path, tmp_path: Path) -> None:
    share_copy.write(copied, tmp_path / "again.xlsx")
    harmless(tmp_path / "again.xlsx")
    book = openpyxl.load_workbook(tmp_path / "again.xlsx")
    assert book.sheetnames[-2:] == ["Copy", "Copy2"]
    assert book["Copy"]["B3"].value == "book.xlsm"
    assert book["Copy2"]["B3"].value == "book-values.xlsx"
    assert book["Copy2"]["B6"].value == book["Copy"]["B6"].value  # the book


def broken(folder: Path, name: str, old: str, new: str) -> Path:
    parts = everything(TEMPLATE)
    assert old in parts[name]
    parts[name] = parts[name].replace(old, new, 1)
    with zipfile.ZipFile(folder / "broken.xlsx", "w") as archive:
        for part, text in parts.items():
            archive.writestr(part, text)
    return folder / "broken.xlsx"


@pytest.mark.parametrize(
    ("name", "old", "new", "sentence"),
    [
        ("xl/workbook.xml", "<workbook", "<!DOCTYPE x []><workbook", "document type"),
        ("_rels/.rels", "<Relationships", "<!DOCTYPE x []><Relationships", "document type"),
        ("xl/worksheets/sheet1.xml", "<sheetData>", "<sheetData><row>", "is no XML"),
        ("xl/styles.xml", 'encoding="UTF-8"', 'encoding="none"', "is no XML: unknown encoding"),
        ("xl/styles.xml", 'encoding="UTF-8"', 'encoding="gbk"', "is no XML"),
        ("_rels/.rels", "relationships/officeDocument", "relationships/other", "names no workbook"),
        ("xl/_rels/workbook.xml.rels", "worksheets/sheet1.xml", "worksheets/no.xml", "no.xml"),
        ("xl/_rels/workbook.xml.rels", "worksheets/sheet1.xml", "../_rels/.rels", "cannot have"),
        (
            "xl/_rels/workbook.xml.rels",
            "worksheets/sheet1.xml",
            "../[Content_Types].xml",
            "cannot have",
        ),
    ],
)
def test_a_file_that_is_no_workbook_is_refused(
    tmp_path: Path, name: str, old: str, new: str, sentence: str
) -> None:
    with pytest.raises(ValueError, match=f"can be copied.*{re.escape(sentence)}"):
        share_copy.write(broken(tmp_path, name, old, new), tmp_path / "copy.xlsx")
    assert not (tmp_path / "copy.xlsx").exists()


def test_a_formula_without_a_value_is_refused_and_named(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet["B2"] = "=1+1"
    book.save(tmp_path / "never calculated.xlsx")
    with pytest.raises(ValueError, match=r"1 cells with a formula have no value \(sheet1.xml B2\)"):
        share_copy.write(tmp_path / "never calculated.xlsx", tmp_path / "copy.xlsx")


def test_the_file_itself_is_never_replaced(tmp_path: Path) -> None:
    source = tmp_path / "a.xlsx"
    source.write_bytes(TEMPLATE.read_bytes())
    with pytest.raises(ValueError, match="would replace"):
        share_copy.write(source, source)
    with pytest.raises(ValueError, match=r"is named \*.xlsx"):
        share_copy.write(source, tmp_path / "a.xlsm")
    (tmp_path / "secret.xlsx").write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600))
    with pytest.raises(ValueError, match="with a password"):
        share_copy.write(tmp_path / "secret.xlsx", tmp_path / "copy.xlsx")
    assert cli.main(["share-copy", str(tmp_path / "nothing.xlsx")]) == 2


@pytest.mark.parametrize(
    ("formula", "plain"),
    [
        ("Main!$A$1", True),
        ("'A & B'!$A$1:$C$3", True),
        ("'It''s, (new)'!$A:$C,'It''s, (new)'!$1:$3", True),
        ("0.5", True),
        ('"word"', True),
        ("Main!A1+1", False),
        ("CM_MM(Main!A1)", False),
        ("[1]Main!$A$1", False),
        ("'[other.xlsx]Main'!$A$1", False),
        ("cmd|'/c calc'!A1", False),
        ("#REF!", False),
        ("", False),
    ],
)
def test_a_plain_reference_is_told_from_a_formula(formula: str, *, plain: bool) -> None:
    assert is_plain(formula) is plain


def test_a_file_that_libreoffice_saved_is_copied_too(tmp_path: Path) -> None:
    reason = office.missing()
    if reason:
        pytest.skip(reason)
    saved, target = tmp_path / "saved.xlsx", tmp_path / "copy.xlsx"
    with Office(tmp_path, libreoffice.build(tmp_path / "crossmargin.oxt")) as started:
        started.open(TEMPLATE)
        started.do("store", path=str(saved))
    share_copy.write(saved, target)
    harmless(target)
    before = openpyxl.load_workbook(saved, data_only=True)
    after = openpyxl.load_workbook(target)
    for name in ("Summary", "Liquidation"):
        rows = before[name].iter_rows(values_only=True)
        for ours, theirs in zip(after[name].iter_rows(values_only=True), rows, strict=True):
            assert [cell or None for cell in ours] == [cell or None for cell in theirs]
    said = {row[0]: row[1] for row in after["Copy"].iter_rows(values_only=True)}
    address, start = named(TEMPLATE, "Book")
    assert said["Book"] == before[start][address].value


def test_a_damaged_file_is_copied_harmlessly_or_refused(tmp_path: Path) -> None:
    good = everything(hostile(tmp_path))
    generator = random.Random(11)  # noqa: S311 - not a secret
    refused = 0
    for _ in range(300):
        parts = {name: bytearray(text.encode()) for name, text in good.items()}
        for _ in range(generator.randint(1, 4)):
            part = parts[generator.choice(sorted(parts))]
            start = generator.randrange(len(part))
            cut = part[start : start + generator.randint(0, 12)]
            put = generator.choice([b"", b"<", b'"', b"&", b"r:id", b"\x00", b"<f>A1</f>", b"99"])
            part[start : start + len(cut)] = put
        with zipfile.ZipFile(tmp_path / "damaged.xlsx", "w") as archive:
            for name, data in parts.items():
                archive.writestr(name, bytes(data))
        (tmp_path / "copy.xlsx").unlink(missing_ok=True)
        try:
            share_copy.write(tmp_path / "damaged.xlsx", tmp_path / "copy.xlsx")
        except ValueError:
            refused += 1
            assert not (tmp_path / "copy.xlsx").exists()
        else:
            harmless(tmp_path / "copy.xlsx")
    assert 50 < refused < 300
