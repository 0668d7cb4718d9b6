"""The manual: every function and rulebook has a page, what it shows is true, its links resolve."""

from __future__ import annotations

import csv
import importlib.util
import json
import math
import re
import shutil
import subprocess
import sys
import tomllib
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from click import Context
from click.testing import CliRunner

import crossmargin
from crossmargin import registry
from crossmargin._docstrings import section
from crossmargin.cells import SheetError
from crossmargin.cli import cli
from crossmargin.table import Table
from crossmargin.template.words import MISUNDERSTANDINGS
from docs.manual import (
    calls,
    command_page,
    function_pages,
    glossary_page,
    rulebook_pages,
    study_pages,
    worked,
)
from docs.manual.markup import plain, shown

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "python" / "docs"
BY_HAND = sorted(SOURCE.glob("*.md"))
TEXTS = {path.name: path.read_text(encoding="utf-8") for path in BY_HAND}
RULEBOOKS = sorted((ROOT / "rust_core" / "engine" / "rulebooks").glob("*.toml"))
RECORDS = registry.records()
EXAMPLES = [(record, formula) for record in RECORDS for formula in worked.examples(record)]
LARGEST_PICTURE = 150 * 1024


@pytest.fixture(scope="module")
def functions() -> dict[str, str]:
    return dict(function_pages.pages())


@pytest.fixture(scope="module")
def rulebooks() -> dict[str, str]:
    return dict(rulebook_pages.pages())


@pytest.mark.parametrize(("record", "formula"), EXAMPLES, ids=[formula for _, formula in EXAMPLES])
def test_an_example_of_a_page_answers(
    record: registry.Record, formula: str, functions: dict[str, str]
) -> None:
    answer = worked.answer(formula)
    page = functions[f"functions/{record.sheet_name}.md"]
    assert formula in page
    if formula in worked.NO_ANSWER:
        assert isinstance(answer, SheetError)
        assert answer.sign == "#N/A"
        assert plain(answer.reason) in page
        return
    assert not isinstance(answer, SheetError), answer
    rows = answer if isinstance(answer, list) else [[answer]]
    assert any(not isinstance(cell, SheetError) and cell != "" for row in rows for cell in row)
    header = answer[0] if isinstance(answer, list) else [answer]
    assert all(shown(cell) in page for cell in header)


@pytest.mark.parametrize("record", RECORDS, ids=[record.sheet_name for record in RECORDS])
def test_the_python_call_of_a_page_gives_what_the_sheet_shows(record: registry.Record) -> None:
    called = worked.read(record.example)
    names: dict[str, Any] = {"crossmargin": crossmargin}
    for part in called.parts:
        if isinstance(part, worked.Name):
            names |= _variables(part, record.sheet_name)
    answer = eval(calls.python_call(record, called), names)  # noqa: S307  # our own page
    sheet = worked.answer(record.example)
    if isinstance(answer, Table):
        assert isinstance(sheet, list)
        assert list(answer.header) == sheet[0]
        for ours, theirs in zip(answer.rows, sheet[1:], strict=True):
            for one, other in zip(ours, theirs, strict=True):
                assert one == other or (one is None and isinstance(other, SheetError))
    else:
        assert getattr(answer, "key", answer) == sheet


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("worked")
    for name, rows in worked.tables().items():
        with (folder / calls.file_of(name)).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
    return folder


@pytest.mark.parametrize("record", RECORDS, ids=[record.sheet_name for record in RECORDS])
def test_the_command_of_a_page_gives_what_the_sheet_shows(
    record: registry.Record, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = calls.command_call(record, worked.read(record.example))
    monkeypatch.chdir(files)
    done = CliRunner().invoke(cli, [*words[1:], "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    sheet = worked.answer(record.example)
    if isinstance(sheet, float):
        assert any(value == pytest.approx(sheet, rel=1e-9) for value in _numbers(told))
    elif isinstance(sheet, list):
        rows = (
            told
            if isinstance(told, list)
            else next(v for v in told.values() if isinstance(v, list))
        )
        assert len(rows) == len(sheet) - 1
    else:
        assert record.returns == "key" or str(sheet) in str(told)


def _variables(part: worked.Name, function: str) -> dict[str, object]:
    word = part.table or part.word
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", word).lower()
    if part.table:
        return {name: worked.tables()[part.table]}
    formula = worked.BOOKS[worked.book_of(function) if word == "Book" else word]
    return {name: crossmargin.books.recall(str(worked.answer(formula)))}


@pytest.mark.parametrize("record", RECORDS, ids=[record.sheet_name for record in RECORDS])
def test_a_page_names_every_argument_and_a_source(
    record: registry.Record, functions: dict[str, str]
) -> None:
    page = functions[f"functions/{record.sheet_name}.md"]
    assert section(record.doc, "References").strip()
    assert "## Source" in page
    assert all(f"| `{argument.name}` |" in page for argument in record.arguments)
    assert calls.in_a_sheet(record) in page
    assert f"`crossmargin.{record.function.__name__}(" in page


def test_the_index_names_every_function(functions: dict[str, str]) -> None:
    index = functions["functions/index.md"]
    assert all(f"[`{record.sheet_name}`]" in index for record in RECORDS)
    assert set(functions) == {
        "functions/index.md",
        "functions/worked-books.md",
        *(f"functions/{record.sheet_name}.md" for record in RECORDS),
    }


@pytest.mark.parametrize("path", RULEBOOKS, ids=[path.stem for path in RULEBOOKS])
def test_the_page_of_a_rulebook_shows_the_numbers_and_sources_of_its_file(
    path: Path, rulebooks: dict[str, str]
) -> None:
    written = tomllib.loads(path.read_text(encoding="utf-8"))
    name = f"rulebooks/{written['id']}-{written['version'].replace('.', '-')}.md"
    page = rulebooks[name]
    for source in written.get("sources", {}).values():
        assert plain(source["address"]) in page
        assert source["retrieved"] in page
    for reason in written.get("refusals", {}).values():
        assert plain(reason) in page
    numbers = [number for number in _numbers(written) if number]
    assert len(numbers) >= 2
    texts = re.findall(r"-?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?", page)
    figures = [float(text.replace(",", "")) for text in texts]
    missing = [
        number
        for number in set(numbers)
        if not any(math.isclose(number, figure, rel_tol=5e-6) for figure in figures)
    ]
    assert missing == []


def _numbers(value: object) -> list[float]:
    if isinstance(value, dict):
        return [number for inner in value.values() for number in _numbers(inner)]
    if isinstance(value, list):
        return [number for inner in value for number in _numbers(inner)]
    return [float(value)] if isinstance(value, int | float) and not isinstance(value, bool) else []


def test_the_glossary_has_every_misunderstanding_of_the_template() -> None:
    page = glossary_page.page()
    assert all(plain(claim) in page and plain(truth) in page for claim, truth in MISUNDERSTANDINGS)


def test_the_page_of_the_command_line_has_every_command() -> None:
    page = command_page.page()
    for name in cli.list_commands(Context(cli)):
        assert f"| `{name}` |" in page or f"## crossmargin {name}\n" in page


def test_the_first_book_by_hand_is_what_the_engine_says() -> None:
    equity, maintenance = (
        worked.answer(formula, "First") for formula in ("=CM_EQUITY(Book)", "=CM_MM(Book)")
    )
    assert equity == 20_000 - 1_000 - 2_000
    assert maintenance == 94_000 / 80 + 64_000 / 50
    assert "together 2,455. Usage is 2,455 / 17,000" in TEXTS["first-book.md"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for path in (SOURCE / "first-book").glob("*.csv"):
        shutil.copy(path, tmp_path)
    return tmp_path


def _blocks(language: str) -> list[tuple[str, str]]:
    found = re.compile(rf"^```{language}\n(.*?)^```", re.DOTALL | re.MULTILINE)
    return [(name, code) for name, text in TEXTS.items() for code in found.findall(text)]


def test_the_python_of_the_pages_runs(folder: Path) -> None:
    blocks = _blocks("python")
    assert blocks
    for _, code in blocks:
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip()


def test_the_commands_of_the_pages_run(folder: Path) -> None:
    lines = [line for _, text in _blocks("console") for line in text.splitlines() if line]
    assert len(lines) >= 5
    program = str(Path(sys.executable).with_name("crossmargin"))
    for line in lines:
        first, *words = line.split()
        assert first == "crossmargin"
        done = subprocess.run(
            [program, *words], cwd=folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{line}: {done.stderr}"


def test_every_function_that_the_pages_name_exists() -> None:
    named = {name for text in TEXTS.values() for name in re.findall(r"\bCM_[A-Z0-9]+\b", text)}
    assert len(named) >= 20
    assert named <= {record.sheet_name for record in RECORDS}


def test_causes_and_codes_are_words_of_the_engine() -> None:
    table = TEXTS["why-different.md"].partition("| | cause |")[2].partition("\n\n")[0]
    engine = "\n".join(
        path.read_text(encoding="utf-8")
        for path in (ROOT / "rust_core" / "engine" / "src").rglob("*.rs")
    )
    quoted = re.findall(r'"([a-z][^"]{10,}?)(?: \.\.\.)?"', table)
    codes = [code for code in re.findall(r"`([a-z]+(?:_[a-z]+)+)`", table) if code != "as_of"]
    assert len(quoted) >= 5
    assert len(codes) >= 7
    assert [word for word in (*quoted, *codes) if word not in engine] == []


def test_every_page_of_the_folder_docs_is_included() -> None:
    included = [Path(name).name for name, _ in study_pages.pages()]
    assert included == sorted(path.name for path in (ROOT / "docs").glob("*.md"))
    assert "studies/*" in TEXTS["index.md"]
    assert "{include} ../../tests/bench/README.md" in TEXTS["benchmarks.md"]


def test_files_that_the_documentation_pack_names_exist() -> None:
    text = TEXTS["model-documentation.md"]
    named = re.findall(r"`((?:rust_core|python|tests)/[\w/.]+|CHANGELOG\.md)`", text)
    assert len(named) >= 10
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_pictures_are_there_and_small() -> None:
    pictures = {path.name: path.stat().st_size for path in (SOURCE / "pictures").glob("*.png")}
    assert set(pictures) == {"start.png", "summary.png", "liquidation.png", "map.png"}
    assert max(pictures.values()) <= LARGEST_PICTURE
    shown_in = "\n".join(TEXTS.values())
    assert all(f"pictures/{name}" in shown_in for name in pictures)


class Links(HTMLParser):
    """What one page of the site links to, and the places that others may link to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.places: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.places |= {value for key in ("id", "name") if (value := given.get(key))}
        target = given.get("href") if tag in {"a", "link"} else given.get("src")
        if target and not urlsplit(target).scheme and not target.startswith("//"):
            self.targets.append(target)


def test_the_site_builds_without_a_warning_and_its_links_resolve(tmp_path: Path) -> None:
    if importlib.util.find_spec("sphinx") is None:
        pytest.skip("Sphinx is not installed: pip install 'crossmargin[docs]'")
    site = tmp_path / "site"
    command = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet"]
    places = ["--doctree-dir", str(tmp_path / "doctrees"), str(SOURCE), str(site)]
    done = subprocess.run(
        [*command, *places], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    pages = {path.resolve(): Links(path) for path in site.rglob("*.html")}
    named = {path.relative_to(site.resolve()).with_suffix("").as_posix() for path in pages}
    assert {f"functions/{record.sheet_name}" for record in RECORDS} <= named
    reference = pages[(site / "python-reference.html").resolve()].places
    spoken_of = {place.rpartition(".")[2] for place in reference}
    for_python = set(crossmargin.__all__) - {record.function.__name__ for record in RECORDS}
    assert for_python - spoken_of == {"Book"}  # what CM_BOOK returns
    broken = []
    for path, page in pages.items():
        for target in page.targets:
            parts = urlsplit(target)
            goal = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            place = unquote(parts.fragment)
            known = goal not in pages or not place or place in pages[goal].places
            if not goal.exists() or not known:
                broken.append(f"{path.name} -> {target}")
    assert broken == []
