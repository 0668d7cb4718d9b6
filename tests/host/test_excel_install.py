"""What `crossmargin excel install` writes, and that `uninstall` leaves nothing."""

from __future__ import annotations

import io
import json
import re
import warnings
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import olefile  # type: ignore[import-untyped]
import openpyxl
import pytest

from crossmargin import cli, registry
from crossmargin.hosts import (
    excel,
    excel_install,
    libreoffice,
    machine,
    vba_project,
    xlwings_runtime,
)
from crossmargin.hosts.manifest import Manifest
from tests.host import office
from tests.host.fake_machine import FakeMachine, tree, windows
from tests.host.office import Office
from tests.host.template_cells import named, position
from tests.host.test_xlwings import NOT_OURS

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*deprecated - use:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*extension is not supported:UserWarning"),
    pytest.mark.filterwarnings("ignore:datetime:DeprecationWarning"),
]
with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from oletools.olevba import VBA_Parser, decompress_stream

# Identities of type libraries, as Excel writes them into every project; it finds them by number.
OF_EXCEL = {
    r"C:\Windows\System32\stdole2.tlb",
    r"C:\Program Files\Common Files\Microsoft Shared\OFFICE16\MSO.DLL",
}
ABSOLUTE = re.compile(r"[A-Za-z]:\\[^#\"\x00]+|\\\\\w+\\\w|/(?:home|root|tmp|usr|work|Users)/\S*")


@pytest.fixture(scope="module")
def computer(tmp_path_factory: pytest.TempPathFactory) -> FakeMachine:
    return windows(tmp_path_factory.mktemp("windows"))


@pytest.fixture(scope="module")
def installed(computer: FakeMachine) -> excel_install.Installed:
    return excel_install.install(computer)


@pytest.fixture(scope="module", params=["crossmargin.xlam", "crossmargin.xlsm"])
def made(request: pytest.FixtureRequest, installed: excel_install.Installed) -> Path:
    return next(path for path in installed.written if path.name == request.param)


def texts(path: Path) -> Iterator[tuple[str, str]]:
    """Yield every part of a macro workbook as text, those of its project unpacked."""
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            data = archive.read(name)
            if name != "xl/vbaProject.bin":
                yield name, data.decode()
                continue
            with olefile.OleFileIO(io.BytesIO(data)) as project:
                for stream in project.listdir():
                    held = project.openstream(stream).read()
                    if stream[0] == "VBA" and stream[1] != "_VBA_PROJECT":
                        held = bytes(decompress_stream(bytearray(held)))
                    yield "/".join(stream), held.decode("cp1252", "replace")


def test_the_files_go_to_the_folders_that_windows_names(
    computer: FakeMachine, installed: excel_install.Installed
) -> None:
    home = computer.home
    assert set(installed.written) == {
        home / "AppData/Roaming/Microsoft/Excel/XLSTART/crossmargin.xlam",
        home / "Documents/crossmargin.xlsm",
        home / ".crossmargin/crossmargin.conf",
    }
    assert installed.kept == ()
    settings = (home / ".crossmargin/crossmargin.conf").read_bytes()
    assert settings == f'"INTERPRETER_WIN","{computer.python}"\r\n'.encode()


def test_olevba_finds_exactly_our_modules_and_nothing_that_starts_by_itself(made: Path) -> None:
    parser = VBA_Parser(str(made))
    names = {name for _, _, name, _ in parser.extract_macros()}
    with zipfile.ZipFile(made) as archive:
        sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/sheet")]
    assert names == {
        "ThisWorkbook.cls",
        *(f"Sheet{number}.cls" for number in range(1, len(sheets) + 1)),
        "xlwings.bas",
        "xlwings_udfs.bas",
        "crossmargin_macros.bas",
    }
    found = [(kind, word) for kind, word, _ in parser.analyze_macros()]
    assert [word for kind, word in found if kind == "AutoExec"] == []
    assert parser.detect_vba_macros()


def test_what_olevba_calls_suspicious_in_the_code_is_what_the_connection_needs(made: Path) -> None:
    """The texts of the help are left out: words such as `call` and `open` stand in them."""
    code = "\n".join(
        text for name, text in texts(made) if name in {"VBA/xlwings", "VBA/xlwings_udfs"}
    )
    code = re.sub(r"^Attribute .*$|'.*$", "", code, flags=re.MULTILINE)
    words = {"Shell", "WScript", "CreateObject", "GetObject", "Popup", "URLDownload", "Kill"}
    assert not words & set(re.findall(r"\w+", code))
    libraries = set(re.findall(r'Lib "([^"]+)"', code))
    assert libraries == {"xlwings64-0.37.8.dll", "xlwings32-0.37.8.dll", "KERNEL32"}
    assert re.findall(r"\bOpen (\w+) For (\w+)", code) == [("sFile", "Input")]
    assert set(re.findall(r'Environ\("(\w+)"\)', code)) == {"USERPROFILE"}


def test_no_part_holds_an_absolute_path(made: Path) -> None:
    found = {
        (name, path) for name, text in texts(made) for path in ABSOLUTE.findall(_without_urls(text))
    }
    assert {path for name, path in found if name == "VBA/dir"} == OF_EXCEL
    assert {(name, path) for name, path in found if name != "VBA/dir"} == set()
    assert ABSOLUTE.search(r"'C:\Users\Ann\crossmargin.xlam'!CM_MM")
    assert ABSOLUTE.search("in /home/ann/crossmargin.xlam")


def test_the_notice_of_xlwings_stands_in_the_file_and_its_paid_part_does_not(made: Path) -> None:
    found = dict(texts(made))
    runtime = found["VBA/xlwings"]
    assert "Copyright (C) 2014-present, Zoomer Analytics LLC." in runtime
    assert "Redistributions in binary form must reproduce the above copyright notice" in runtime
    assert f'XLWINGS_VERSION As String = "{xlwings_runtime.version_of_xlwings()}"' in runtime
    assert not [name for name, text in found.items() if NOT_OURS.search(text)]


def test_the_template_opens_with_openpyxl_and_keeps_its_macros(
    installed: excel_install.Installed, tmp_path: Path
) -> None:
    made = next(path for path in installed.written if path.suffix == ".xlsm")
    book = openpyxl.load_workbook(made, keep_vba=True)
    assert "Summary" in book.sheetnames
    assert vba_project.made_for(made) == xlwings_runtime.version_of_xlwings()
    book.save(tmp_path / "again.xlsm")
    assert book.vba_archive is not None
    book.vba_archive.close()  # openpyxl leaves it open
    with zipfile.ZipFile(tmp_path / "again.xlsm") as archive, zipfile.ZipFile(made) as first:
        assert archive.read("xl/vbaProject.bin") == first.read("xl/vbaProject.bin")


def test_libreoffice_calculates_the_macro_template_with_its_own_add_in(
    installed: excel_install.Installed, tmp_path: Path
) -> None:
    """The functions of the same names in VBA are not asked, even where macros may run."""
    reason = office.missing()
    if reason:
        pytest.skip(reason)
    made = next(path for path in installed.written if path.suffix == ".xlsm")
    margin, price = named(made, "MaintenanceMargin"), position(made, "BTC", "markPrice")
    saved = openpyxl.load_workbook(made, data_only=True)[margin[1]][margin[0]].value
    with Office(tmp_path, libreoffice.build(tmp_path / "crossmargin.oxt")) as started:
        started.open(made, macros=True)
        before = started.cell(*margin).value
        assert before == saved
        assert isinstance(before, float)
        assert started.cell(*price).value == 93_400.0
        started.write(price[0], 80_000.0, price[1])
        # 52 BTC by 13,400 at half of the initial margin of 40 times
        after = started.cell(*margin).value
        assert after == pytest.approx(before - 52 * 13_400 / 80, abs=1e-6)


def test_every_function_has_a_wrapper_and_help_for_each_argument(made: Path) -> None:
    found = dict(texts(made))
    macros = found["VBA/crossmargin_macros"].replace(" _\r\n        ", " ")
    assert max(map(len, found["VBA/crossmargin_macros"].splitlines())) < 1023
    for record in registry.records():
        assert f"Function {record.sheet_name}(" in found["VBA/xlwings_udfs"]
        helps = [excel.one_line(argument.doc) for argument in record.arguments]
        start = f'CmDescribe "{record.sheet_name}", "Crypto margin", '
        (line,) = [line for line in macros.splitlines() if line.strip().startswith(start)]
        for help_text in helps:
            assert '"' + help_text.replace('"', '""') + '"' in line
    volatile = re.search(r"\.Volatile|\.Enabled\b", found["VBA/xlwings_udfs"])
    assert volatile is None, "a volatile function, or one that answers 0 while a file opens"


def test_a_second_install_writes_the_same_bytes(
    computer: FakeMachine, installed: excel_install.Installed
) -> None:
    before = {path: path.read_bytes() for path in installed.written}
    again = excel_install.install(computer)
    assert {path: path.read_bytes() for path in again.written} == before


def test_uninstall_leaves_the_tree_as_it_was(tmp_path: Path) -> None:
    computer = windows(tmp_path)
    before = tree(tmp_path)
    excel_install.install(computer)
    assert len(tree(tmp_path)) > len(before)
    done = excel_install.uninstall(computer)
    assert (len(done.removed), done.kept, done.in_use) == (3, (), ())
    assert tree(tmp_path) == before
    assert excel_install.uninstall(computer).removed == ()


def test_a_workbook_that_the_user_changed_is_his(tmp_path: Path) -> None:
    computer = windows(tmp_path)
    own = computer.home / "Documents" / "crossmargin.xlsm"
    excel_install.install(computer)
    own.write_bytes(b"my positions")
    again = excel_install.install(computer)
    assert again.kept == (own,)
    assert own.read_bytes() == b"my positions"
    done = excel_install.uninstall(computer)
    assert done.kept == (own,)
    assert own.read_bytes() == b"my positions"
    assert not (computer.home / ".crossmargin").exists()


def test_a_file_of_somebody_else_is_neither_replaced_nor_removed(tmp_path: Path) -> None:
    computer = windows(tmp_path)
    start = computer.home / "AppData/Roaming/Microsoft/Excel/XLSTART"
    start.mkdir(parents=True)
    (start / "crossmargin.xlam").write_bytes(b"not ours")
    before = tree(tmp_path)
    with pytest.raises(ValueError, match="is not as crossmargin wrote it"):
        excel_install.install(computer)
    assert tree(tmp_path) == before
    excel_install.uninstall(computer)
    assert tree(tmp_path) == before


def test_a_file_that_excel_holds_stays_on_the_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = Manifest(tmp_path / "list.json")
    manifest.write({tmp_path / "one": b"1", tmp_path / "two": b"2"})
    remove = Path.unlink

    def refuse(path: Path, *, missing_ok: bool = False) -> None:
        if path.name == "one":
            raise PermissionError(13, "in use", str(path))
        remove(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)
    assert Manifest.read(tmp_path / "list.json").take_back().in_use == (tmp_path / "one",)
    monkeypatch.undo()
    assert Manifest.read(tmp_path / "list.json").take_back().removed == (tmp_path / "one",)
    assert not list(tmp_path.iterdir())


def test_a_file_that_cannot_be_replaced_stays_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "list.json"
    Manifest(place).write({tmp_path / "one": b"1"})
    replace = Path.replace

    def refuse(path: Path, target: Path) -> Path:
        if target.name == "one":
            raise PermissionError(13, "in use", str(target))
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(PermissionError):
        Manifest.read(place).write({tmp_path / "one": b"2"})
    monkeypatch.undo()
    assert (tmp_path / "one").read_bytes() == b"1"
    assert Manifest.read(place).take_back().removed == (tmp_path / "one",)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["", "[]", '{"files": 1}', '{"files": {}, "folders": 3}'])
def test_a_list_that_cannot_be_read_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "list.json").write_text(text)
    with pytest.raises(ValueError, match="is no list of what crossmargin installed"):
        Manifest.read(tmp_path / "list.json")


def test_an_environment_of_conda_is_named_so_that_it_is_activated(tmp_path: Path) -> None:
    computer = windows(tmp_path)
    (computer.prefix / "conda-meta").mkdir()
    computer.variables["CONDA_EXE"] = str(tmp_path / "conda" / "Scripts" / "conda.exe")
    assert excel_install.settings_of(computer).decode().splitlines() == [
        '"INTERPRETER_WIN","python"',
        f'"CONDA PATH","{tmp_path / "conda"}"',
        f'"CONDA ENV","{computer.prefix}"',
    ]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("a&b", "the sign &"), ("50%", "the sign %"), ("\u738b", "letters that VBA cannot read")],
)
def test_a_path_that_excel_cannot_start_is_refused(
    tmp_path: Path, name: str, sentence: str
) -> None:
    computer = windows(tmp_path)
    computer.python = tmp_path / name / "python.exe"
    before = tree(tmp_path)
    with pytest.raises(ValueError, match=sentence):
        excel_install.install(computer)
    assert tree(tmp_path) == before


def test_a_missing_xlwings_is_named_with_the_way_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(xlwings_runtime, "find_spec", lambda _: None)
    assert cli.main(["excel", "install", "--folder", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert 'pip install "crossmargin[excel]"' in said
    assert list(tmp_path.iterdir()) == []


def test_off_windows_a_folder_is_needed_and_no_settings_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(machine.ThisMachine, "system", "Linux")
    monkeypatch.setattr(machine.ThisMachine, "home", tmp_path / "home")
    before = tree(tmp_path)
    assert cli.main(["excel", "install"]) == 2
    assert "name one with --folder" in " ".join(capsys.readouterr().err.split())
    assert cli.main(["excel", "install", "--folder", str(tmp_path / "out"), "--json"]) == 0
    written = json.loads(capsys.readouterr().out)["written"]
    assert [Path(path).name for path in written] == ["crossmargin.xlam", "crossmargin.xlsm"]
    assert cli.main(["excel", "uninstall"]) == 0
    assert tree(tmp_path) == before


def test_a_workbook_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"must be named \*.xlsm, was book.xlsx"):
        excel_install.install(windows(tmp_path), workbook=Path("book.xlsx"))


def _without_urls(text: str) -> str:
    return re.sub(r"https?://\S+", "", text)
