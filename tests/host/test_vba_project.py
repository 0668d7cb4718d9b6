"""The macro workbook that we write, read by programs that are not ours."""

from __future__ import annotations

import contextlib
import io
import random
import warnings
import zipfile
from pathlib import Path

import olefile  # type: ignore[import-untyped]
import openpyxl
import pytest
import xlsxwriter
import xlwings

from crossmargin import cli
from crossmargin.hosts import excel, share_copy, vba_project, vba_renew, xlwings_runtime
from crossmargin.hosts._archives import save
from crossmargin.hosts._compound_file import read_stream
from tests.host import sample_registry
from tests.host.test_xlwings import NOT_OURS

# oletools 0.60.2 calls pyparsing by names that pyparsing 3.3 deprecates, when imported and later
pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated - use:DeprecationWarning")
with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from oletools.olevba import VBA_Parser, decompress_stream


def template(folder: Path) -> Path:
    book = xlsxwriter.Workbook(folder / "template.xlsx")
    first, second = book.add_worksheet("Start"), book.add_worksheet("A & B")
    first.write("A1", 1)
    first.set_tab_color("red")
    second.write_dynamic_array_formula("A1:A1", "=CM_STAMP()")
    book.close()
    return folder / "template.xlsx"


def macros(path: Path) -> dict[str, str]:
    parser = VBA_Parser(str(path))
    assert parser.detect_vba_macros()
    return {name: code for _, _, name, code in parser.extract_macros()}


def test_compression_is_undone_by_oletools() -> None:
    generator = random.Random(7)  # noqa: S311 - not a secret
    lengths = [0, 1, 2, 17, 4095, 4096, 4097, 9000, 20000]
    for length in lengths:
        text = bytes(generator.choices(b"ab (\r\n", k=length))
        assert bytes(decompress_stream(bytearray(vba_project.compress(text)))) == text
    noise = generator.randbytes(8192)
    assert bytes(decompress_stream(bytearray(vba_project.compress(noise)))) == noise


@pytest.mark.parametrize("name", ["book.xlsm", "book.xlam"])
def test_other_programs_find_every_module(tmp_path: Path, name: str) -> None:
    out = tmp_path / name
    vba_project.write_xlsm(template(tmp_path), out, registry=sample_registry)
    found = macros(out)
    assert set(found) == {
        "ThisWorkbook.cls",
        "Sheet1.cls",
        "Sheet2.cls",
        "xlwings.bas",
        "xlwings_udfs.bas",
        "crossmargin_macros.bas",
    }
    wanted = excel.vba_module(sample_registry, addin=name.endswith(".xlam"))
    body = wanted.split("\n", 1)[1]
    assert body.strip() in found["xlwings_udfs.bas"].replace("\r\n", "\n")
    assert 'PROJECT_NAME As String = "crossmargin"' in found["xlwings.bas"]
    assert "Copyright (C) 2014-present, Zoomer Analytics LLC." in found["xlwings.bas"]
    assert not [module for module, text in found.items() if NOT_OURS.search(text)]


def test_the_workbook_keeps_its_content_and_names_its_sheets(tmp_path: Path) -> None:
    out = tmp_path / "book.xlsm"
    vba_project.write_xlsm(template(tmp_path), out, registry=sample_registry)
    book = openpyxl.load_workbook(out, keep_vba=True)
    assert book.sheetnames == ["Start", "A & B"]
    assert book["Start"]["A1"].value == 1
    assert book.vba_archive is not None
    assert "xl/vbaProject.bin" in book.vba_archive.namelist()
    book.vba_archive.close()  # openpyxl leaves it open
    with zipfile.ZipFile(out) as archive:
        assert archive.testzip() is None
        assert 'codeName="ThisWorkbook"' in archive.read("xl/workbook.xml").decode()
        for number in (1, 2):
            sheet = archive.read(f"xl/worksheets/sheet{number}.xml").decode()
            assert f'codeName="Sheet{number}"' in sheet
        types = archive.read("[Content_Types].xml").decode()
        assert "sheet.macroEnabled.main+xml" in types
        project = archive.read("xl/vbaProject.bin")
    with olefile.OleFileIO(io.BytesIO(project), raise_defects=olefile.DEFECT_INCORRECT) as file:
        assert ["VBA", "dir"] in file.listdir()
        assert not file.parsing_issues


def test_the_same_workbook_gives_the_same_bytes(tmp_path: Path) -> None:
    source = template(tmp_path)
    for name in ("one.xlsm", "two.xlsm"):
        vba_project.write_xlsm(source, tmp_path / name, registry=sample_registry)
    assert (tmp_path / "one.xlsm").read_bytes() == (tmp_path / "two.xlsm").read_bytes()


def test_a_filled_workbook_gets_the_vba_of_the_installed_xlwings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "mine.xlsm"
    with monkeypatch.context() as before:
        before.setattr(xlwings_runtime, "version_of_xlwings", lambda: "0.36.0")
        before.setattr(xlwings_runtime, "text", lambda **_: 'Attribute VB_Name = "xlwings"\n')
        vba_project.write_xlsm(template(tmp_path), old)
    data = old.read_bytes()
    assert vba_project.made_for(old) == "0.36.0"
    new = tmp_path / "mine-renewed.xlsm"
    assert cli.main(["excel", "renew", str(old)]) == 0
    assert old.read_bytes() == data
    assert vba_project.made_for(new) == xlwings_runtime.version_of_xlwings()
    assert set(macros(new)) == set(macros(old))
    assert "xlwings.serve" in macros(new)["xlwings.bas"]
    with zipfile.ZipFile(old) as first, zipfile.ZipFile(new) as second:
        assert first.namelist() == second.namelist()
        changed = [name for name in first.namelist() if first.read(name) != second.read(name)]
    assert changed == ["docProps/custom.xml", "xl/vbaProject.bin"]
    with pytest.raises(ValueError, match="exists: name another file"):
        vba_renew.renew(old, new)


def test_a_workbook_with_macros_of_its_own_is_not_renewed(tmp_path: Path) -> None:
    made = tmp_path / "made.xlsm"
    vba_project.write_xlsm(template(tmp_path), made)
    own = vba_project.Module("Mine", "module", 'Attribute VB_Name = "Mine"\n')
    with zipfile.ZipFile(made) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["xl/vbaProject.bin"] = vba_project.project([*vba_project.own_modules(), own])
    save(tmp_path / "own.xlsm", parts)
    with pytest.raises(ValueError, match="macros of your own, which would be lost: Mine;"):
        vba_renew.renew(tmp_path / "own.xlsm", tmp_path / "new.xlsm")
    with pytest.raises(ValueError, match="was not made by crossmargin"):
        vba_renew.renew(template(tmp_path), tmp_path / "new.xlsm")
    assert not (tmp_path / "new.xlsm").exists()


def test_the_modules_of_a_project_that_excel_saved_are_read() -> None:
    """xlwings brings a workbook that Excel wrote; olevba is the second reader."""
    path = Path(xlwings.__file__).with_name("quickstart_standalone.xlsm")
    with zipfile.ZipFile(path) as archive:
        project = archive.read("xl/vbaProject.bin")
    documents = {"ThisWorkbook", "Sheet1", "Sheet2"}
    theirs = {name.rpartition(".")[0] for name in macros(path)}
    assert set(vba_renew.modules_in(project)) | documents == theirs | documents
    assert len(vba_renew.modules_in(project)) == 3


def test_a_damaged_compound_file_is_refused_and_nothing_else_happens() -> None:
    good = vba_project.project(vba_project.own_modules(sample_registry))
    for sizes in (0, 8, 100, 512, 1_000, 2_000):
        with pytest.raises(ValueError, match="compound file"):
            read_stream(good[:sizes], "PROJECT")
    generator = random.Random(3)  # noqa: S311 - not a secret
    for _ in range(400):
        damaged = bytearray(good)
        for _ in range(generator.randint(1, 30)):
            damaged[generator.randrange(min(len(damaged), 4_000))] = generator.randrange(256)
        with contextlib.suppress(ValueError):
            read_stream(bytes(damaged), "PROJECT")


def test_a_damaged_workbook_is_read_as_one_that_says_nothing(tmp_path: Path) -> None:
    made = tmp_path / "made.xlsm"
    vba_project.write_xlsm(template(tmp_path), made, registry=sample_registry)
    good = made.read_bytes()
    generator = random.Random(5)  # noqa: S311 - not a secret
    answers = set()
    for _ in range(300):
        damaged = bytearray(good)
        for _ in range(generator.randint(1, 40)):
            damaged[generator.randrange(len(damaged))] = generator.randrange(256)
        (tmp_path / "damaged.xlsm").write_bytes(damaged)
        answers.add(vba_project.made_for(tmp_path / "damaged.xlsm"))
        for again in (vba_renew.renew, share_copy.write):
            target = tmp_path / ("new.xlsm" if again is vba_renew.renew else "new.xlsx")
            target.unlink(missing_ok=True)
            with contextlib.suppress(ValueError):
                again(tmp_path / "damaged.xlsm", target)
    assert None in answers
    assert xlwings_runtime.version_of_xlwings() in answers
