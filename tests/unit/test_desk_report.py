"""Page 1 of the desk report: the functions' answers in words, as HTML and PDF."""

from __future__ import annotations

import dataclasses
import html.parser
import io
import json
import re
import sys
from pathlib import Path
from typing import Any

import pypdf
import pytest

import crossmargin
from crossmargin import cli, registry
from crossmargin.desk_report import Asked, MissingExtraError, gather, view, wording
from crossmargin.desk_report import html as html_page
from crossmargin.desk_report import pdf as pdf_page
from crossmargin.errors import CrossmarginError, OutOfRangeError, UnknownWordError
from crossmargin.template.values import Rows, read_csv

SAMPLES = Path(registry.__file__).parent / "samples"
AS_OF = "2026-01-13T12:00:00Z"
QUICK = {"paths": "200", "steps": "4"}
HOSTILE = (
    "=cmd|' /C calc'!A0",
    "<script>alert(1)</script>",
    '#eval("1+1")',
    "<img src=x onerror=alert(1)>",
    "\u202eevil\u202c",
    "{{ 7*7 }}",
    "$x^2$",
    "a\tb\x00c\x07",
    "]#panic()[",
    "A" * 32_000,
)


def tables(folder: str, *names: str) -> dict[str, Rows]:
    return {name: read_csv(SAMPLES / folder / f"{name}.csv") for name in names}


@pytest.fixture(scope="module")
def twelve() -> crossmargin.Book:
    held = tables("accounts", "positions", "collateral", "market", "rules")
    return crossmargin.book(
        held["positions"], held["rules"], collateral=held["collateral"], market=held["market"],
        as_of=AS_OF,
    )  # fmt: skip


def desk(cash: float = 2_050_000.0) -> crossmargin.Book:
    held = tables(".", "positions", "market", "orders")
    return crossmargin.book(
        held["positions"], "hyperliquid", collateral=[["account", "currency", "cash"],
        ["desk", "USDC", cash]], market=held["market"], orders=held["orders"], as_of=AS_OF,
    )  # fmt: skip


def safe() -> crossmargin.Book:
    """Return one small position on much money: no price liquidates it."""
    rows = [["symbol", "contracts", "entryPrice", "markPrice", "leverage"], ["BTC", 1, 100, 100, 9]]
    return crossmargin.book(rows, "hyperliquid", collateral=[["currency", "cash"], ["USDC", 1e6]])


def page(book: crossmargin.Book, **more: Any) -> dict[str, Any]:
    return view.shown(gather.gather(book, limit_options=QUICK, **more))


def text_of(pdf: bytes) -> str:
    return "\n".join(one.extract_text() for one in pypdf.PdfReader(io.BytesIO(pdf)).pages)


class Tags(html.parser.HTMLParser):
    """Collects the elements of a page, their attributes and the texts between them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.attributes: list[str] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_what_is_gathered_is_what_the_functions_answer(twelve: crossmargin.Book) -> None:
    found = gather.gather(twelve, limits=tables(".", "limits")["limits"], limit_options=QUICK)
    assert found.ranking == crossmargin.account_ranking(twelve, top=500.0).records()
    assert found.actions == crossmargin.cure(twelve, target="excess_im=0", max_rows=5.0).records()
    summary = {row["scope"]: row for row in crossmargin.summary(twelve).records()}
    assert found.summaries == summary
    assert found.axes == ("BTC", "ETH")
    limited = crossmargin.limits(
        twelve, limits=tables(".", "limits")["limits"], options=QUICK
    ).records()
    assert isinstance(found.limits, list)
    assert sorted(map(str, found.limits)) == sorted(map(str, limited))
    worst = [row["status"] for row in found.limits]
    assert worst[:2] == ["suspended", "suspended"]
    assert found.key == twelve.key


def test_the_first_account_is_the_one_with_least_to_spare(twelve: crossmargin.Book) -> None:
    shown = page(twelve)
    excess = {
        str(row["account"]): row["excess_mm"]
        for row in crossmargin.account_ranking(twelve).records()
    }
    least = min(excess, key=lambda name: float(excess[name] or 0.0))
    assert shown["accounts"]["rows"][0][0] == least
    assert len(shown["accounts"]["rows"]) == 12
    assert least in shown["tiles"][0]["detail"]
    assert shown["sentence"].startswith(f"{least}, the one of 12 accounts with least to spare")


def test_a_single_account_is_told_with_its_earlier_usage() -> None:
    shown = page(desk(), previous=desk(2_350_000.0))
    now, then = (crossmargin.ratio(book) for book in (desk(), desk(2_350_000.0)))
    assert isinstance(now, float)
    assert isinstance(then, float)
    tile = shown["tiles"][1]
    assert tile["value"] == f"{now:.2f}"
    assert tile["detail"] == f"earlier {then:.2f} ({now - then:+.2f})"
    assert shown["accounts"]["rows"][0][6] == f"{now - then:+.2f}"
    assert shown["usage"]["accounts"][0]["before"] == then
    assert page(desk())["tiles"][1]["detail"] == "no earlier book was given"


def test_the_map_is_that_of_the_function_with_its_bands() -> None:
    shown = page(desk(), asked=Asked(axes=("SOL", "BTC"), watch=0.3, call=0.6))["map"]
    moves = [-0.5, -0.4, -0.3, -0.2, -0.1, -0.05, 0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5]
    grid = crossmargin.liquidation_map(desk(), "SOL", "BTC", x_moves=moves, y_moves=moves[::-1])
    for words, row in zip(shown["cells"], grid.rows, strict=True):
        for word, value in zip(words, row[1:], strict=True):
            if isinstance(value, str):
                assert word == "liquidatable"
                continue
            assert isinstance(value, float)
            least = {"ok": 0.0, "watch": 0.3, "call": 0.6, "liquidatable": 1.0}[word]
            assert value >= least
            assert word == "liquidatable" or value < {"ok": 0.3, "watch": 0.6, "call": 1.0}[word]
    assert shown["now"] == [6, 6]
    assert {"ok", "liquidatable"} <= {word for words in shown["cells"] for word in words}


def test_a_book_that_no_price_liquidates_says_so() -> None:
    shown = page(safe())
    assert shown["tiles"][3] == {
        "status": "", "long": False, "label": "nearest trigger", "value": wording.NOTHING,
        "detail": "no price of one coin liquidates it",
    }  # fmt: skip
    assert shown["sentence"].startswith("No price of one coin alone liquidates main.")
    assert shown["actions"]["rows"][0][1] == "none needed"
    assert [row[0] for row in shown["findings"]["rows"]] == ["none"]
    assert len(shown["map"]["cells"]) == 1  # one coin: a strip
    assert "cannot be compared" in shown["limits"]["note"]


@pytest.mark.parametrize(("cash", "status"), [(1.0e6, "liquidatable"), (5.0e5, "bankrupt")])
def test_an_account_that_is_lost_is_told_so(cash: float, status: str) -> None:
    shown = page(desk(cash))
    assert shown["tiles"][0]["value"] == status.upper()
    assert [shown["tiles"][3][word] for word in ("value", "detail")] == [
        "now", "the excess is below zero",
    ]  # fmt: skip
    assert shown["tiles"][2]["value"].startswith("(")
    assert shown["sentence"].startswith(f"desk is {status} now. Closed first: ")


def test_what_has_no_answer_leaves_its_reason_on_the_page() -> None:
    reason = "nothing of the kind is known of <b>this</b> book"
    without = dataclasses.replace(
        gather.gather(desk(), limit_options=QUICK),
        grid=reason,
        limits=reason,
        actions=reason,
        steps=reason,
        findings=[],
    )
    shown = view.shown(without)
    assert shown["map"] == {"title": "Where it ends", "reason": reason}
    assert shown["limits"]["note"] == shown["actions"]["note"] == reason
    assert f"No action was found: {reason}." in shown["sentence"]
    texts = "".join(Tags(html_page.write(shown).decode()).texts)
    assert texts.count(reason) >= 3
    assert len(pypdf.PdfReader(io.BytesIO(pdf_page.write(shown))).pages) == 1


@pytest.mark.parametrize(
    "more",
    [{"axes": "NOTHING;BTC"}, {"target": "nonsense=1"}, {"limit_options": {"nonsense": "1"}},
     {"limits": [["limit_id", "metric"], ["a", "b"]]},
        {"limits": [["limit_id", "scope", "metric", "limit"]]}],
)  # fmt: skip
def test_a_wrong_word_or_table_is_refused_and_nothing_is_written(
    tmp_path: Path, more: dict[str, Any]
) -> None:
    with pytest.raises(CrossmarginError):
        crossmargin.report(desk(), tmp_path / "r.html", **{"limit_options": QUICK, **more})
    assert not list(tmp_path.iterdir())


def test_both_files_hold_the_same_texts_and_one_page(
    twelve: crossmargin.Book, tmp_path: Path
) -> None:
    limits = tables(".", "limits")["limits"]
    made = crossmargin.report(
        twelve, tmp_path / "r.pdf", tmp_path / "r.html", limits=limits, limit_options=QUICK,
        official=True, printed="Tuesday",
    )  # fmt: skip
    reader = pypdf.PdfReader(made[0])
    assert len(reader.pages) == 1
    box = reader.pages[0].mediabox
    assert (round(float(box.width)), round(float(box.height))) == (842, 595)  # A4, landscape
    shown = page(twelve, limits=limits)
    pdf, written = text_of(made[0].read_bytes()), made[1].read_text("utf-8")
    texts = "".join(Tags(written).texts)
    for row in shown["accounts"]["rows"]:
        for cell in row:
            assert cell in pdf
            assert cell in texts
    for word in ("official", "Tuesday", shown["run"], AS_OF, "suspended"):
        assert word in pdf
        assert word in texts


def test_the_same_book_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("r.html", "r.pdf"):
        made = []
        for folder in ("a", "b"):
            (tmp_path / folder).mkdir(exist_ok=True)
            made += crossmargin.report(desk(), tmp_path / folder / name, limit_options=QUICK)
        first, second = (path.read_bytes() for path in made)
        assert first == second
        assert b"CreationDate" not in first
        assert not re.search(rb"20[2-9]\d-\d\d-\d\dT(?!12:00:00Z)", first)


def hostile_book() -> crossmargin.Book:
    header = ["account", "symbol", "contracts", "entryPrice", "markPrice", "leverage",
              "maintenanceMarginRate"]  # fmt: skip
    rows = [[name, name, 1, 100, 100, 20, 0.01] for name in HOSTILE]
    balances = [["account", "currency", "cash"], *([name, "USD", 9] for name in HOSTILE)]
    return crossmargin.book([header, *rows], "custom", collateral=balances)


def test_hostile_names_come_out_as_harmless_text(tmp_path: Path) -> None:
    limits = [["limit_id", "scope", "metric", "limit", "owner", "action"],
              *([name, "all", "leverage", 0.001, name, name] for name in HOSTILE)]  # fmt: skip
    made = crossmargin.report(
        hostile_book(), tmp_path / "h.html", tmp_path / "h.pdf", limits=limits,
        limit_options=QUICK, printed=HOSTILE[1],
    )  # fmt: skip
    written = made[0].read_text("utf-8")
    tags = Tags(written)
    assert not {"script", "img", "iframe", "link", "object", "a", "form"} & set(tags.found)
    assert not [name for name in tags.attributes if name.startswith("on")]
    assert "default-src 'none'" in written
    texts = "".join(tags.texts)
    assert "<script>alert(1)</script>" in texts  # as a text to read
    assert "{{ 7*7 }}" in texts
    assert "\u202e" not in texts
    assert "\x00" not in texts
    assert "'=cmd|" in texts
    assert not [text for text in tags.texts if text.startswith(("=", "@", "+cmd"))]
    assert "A" * 300 not in texts
    assert len(pypdf.PdfReader(made[1]).pages) == 1
    pdf = text_of(made[1].read_bytes())
    assert "#eval(" in pdf  # as a text to read, never evaluated
    assert "]#panic()[" in pdf


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_to_read_is_short_printable_and_no_formula(text: str) -> None:
    made = wording.plain(text)
    assert len(made) <= 241
    assert made.isprintable()
    assert not made.startswith(("=", "+", "-", "@", "|"))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (1_687_310.0, "1.69m"),
        (639_013.75, "639k"),
        (999_600.0, "1.00m"),
        (9_878.0, "9.88k"),
        (-305_638.5, "(306k)"),
        (2.1e9, "2.10bn"),
        (12.0, "12"),
        (0.0, "0"),
        (None, wording.NOTHING),
    ],
)
def test_money_has_three_significant_digits(value: float | None, said: str) -> None:
    assert wording.money(value) == said


def test_moves_always_show_their_sign() -> None:
    said = [wording.percent(value) for value in (0.21, -0.00678, 2.5, -0.9999, 0.0, None)]
    assert said == ["+21.0 %", "-0.678 %", "+250 %", "-100 %", "0 %", wording.NOTHING]


@pytest.mark.parametrize(
    ("outputs", "more", "kind", "sentence"),
    [
        ((), {}, UnknownWordError, "needs the name of a file"),
        (("r.doc",), {}, UnknownWordError, "as .html or .pdf, was 'r.doc'"),
        (("r.pdf",), {"watch": 0.8}, OutOfRangeError, "was watch 0.8, call 0.7"),
        (("r.pdf",), {"call": float("nan")}, OutOfRangeError, "bands must be in order"),
        (("r.pdf",), {"axes": "BTC;ETH;SOL"}, UnknownWordError, "one or two axes"),
    ],
)
def test_what_cannot_be_a_report_is_refused(
    outputs: tuple[str, ...], more: dict[str, Any], kind: type[Exception], sentence: str
) -> None:
    with pytest.raises(kind, match=re.escape(sentence)):
        crossmargin.report(safe(), *outputs, **more)


@pytest.mark.parametrize(
    ("library", "name", "module"),
    [("typst", "r.pdf", "pdf"), ("jinja2", "r.html", "html"), ("matplotlib", "r.pdf", "charts")],
)
def test_a_missing_extra_is_one_sentence_with_its_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, library: str, name: str, module: str
) -> None:
    for known in ("pdf", "html", "charts"):
        monkeypatch.delitem(sys.modules, f"crossmargin.desk_report.{known}", raising=False)
    package = sys.modules["crossmargin.desk_report"]
    monkeypatch.delattr(package, module, raising=False)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtraError, match=rf"needs {library}.*crossmargin\[report\]") as said:
        crossmargin.report(safe(), tmp_path / name)
    assert "\n" not in str(said.value)
    assert isinstance(said.value, CrossmarginError)
    assert not (tmp_path / name).exists()


def test_the_command_writes_the_files_it_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = SAMPLES / "accounts"
    given = [f"--{name}={folder / name}.csv" for name in ("positions", "collateral", "market")]
    earlier = f"--previous={folder / 'positions.csv'}"
    code = cli.main(
        ["report", *given, f"--rulebook={folder / 'rules.csv'}", f"--as-of={AS_OF}", earlier,
         "--previous-as-of=2026-01-12T12:00:00Z", f"--limits={SAMPLES / 'limits.csv'}",
         "--option", "paths=200", f"--output={tmp_path / 'r.html'}", "--axes=BTC;VOL"]
    )  # fmt: skip
    said = capsys.readouterr()
    assert (code, said.err) == (0, "")
    assert said.out.strip() == str(tmp_path / "r.html")
    texts = "".join(Tags((tmp_path / "r.html").read_text("utf-8")).texts)
    assert "Where it ends: BTC by VOL" in texts
    assert "earlier 0.75 (+0.00)" in texts
    code = cli.main(
        ["report", f"--positions={SAMPLES / 'two_positions' / 'positions.csv'}",
         f"--collateral={SAMPLES / 'two_positions' / 'collateral.csv'}", "--rulebook=custom",
         f"--output={tmp_path / 's.html'}", "--json"]
    )  # fmt: skip
    assert code == 0
    assert json.loads(capsys.readouterr().out) == {"files": [str(tmp_path / "s.html")]}


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--previous-market=POSITIONS"], "--previous-market is about --previous"),
        (["--previous=RULES"], "the earlier book: "),
        (["--option", "nonsense=1"], "nonsense"),
    ],
)
def test_the_command_refuses_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], sentence: str
) -> None:
    folder = SAMPLES / "two_positions"
    places = {"POSITIONS": folder / "positions.csv", "RULES": SAMPLES / "accounts" / "rules.csv"}
    for word, place in places.items():
        more = [text.replace(word, str(place)) for text in more]
    code = cli.main(
        ["report", f"--positions={folder / 'positions.csv'}",
         f"--collateral={folder / 'collateral.csv'}", "--rulebook=custom",
         f"--output={tmp_path / 'r.html'}", *more]
    )  # fmt: skip
    said = capsys.readouterr().err
    assert code == cli.REFUSED
    assert sentence in said
    assert len(said.strip().splitlines()) == 1
    assert not (tmp_path / "r.html").exists()


def test_the_texts_of_a_page_are_data_that_json_can_carry(twelve: crossmargin.Book) -> None:
    shown = page(twelve)
    assert json.loads(json.dumps(shown)) == shown
