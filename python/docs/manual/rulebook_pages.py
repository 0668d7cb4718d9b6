"""One page per version of a rulebook, from its own data."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING, Final

from crossmargin import functions
from docs.manual import rulebook_words
from docs.manual.markup import block, code, plain, shown, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docs.manual.rulebook_words import Rows

__all__ = ["names", "pages", "path", "statuses"]

_PARTS: Final = ("general", "levels", "shocks", "charges", "tiers", "haircuts", "liquidation")
_TITLES: Final = {
    "general": "General",
    "levels": "Levels",
    "shocks": "Measure and scenarios",
    "charges": "Charges",
    "tiers": "Tiers",
    "haircuts": "Collateral",
    "liquidation": "Liquidation",
}
_STATUS: Final = {
    "verified": "reproduces published results",
    "documented": "read at the venue",
    "estimated": "some of it rests on other grounds; the sources below say which",
}


def names() -> list[dict[str, str]]:
    """Return a row per version of each rulebook: id, venue, mode, version, effective, status."""
    return [
        {key: str(value or "") for key, value in row.items()}
        for row in functions.rulebooks().records()
    ]


def path(row: dict[str, str]) -> str:
    """Return the path of the page of one version."""
    return f"rulebooks/{row['id']}-{row['version'].replace('.', '-')}.md"


def pages() -> Iterator[tuple[str, str]]:
    """Yield the path and the text of each page, the index first."""
    listed = names()
    yield "rulebooks/index.md", _index(listed)
    yield "rulebooks/schema.md", _SCHEMA
    for row in listed:
        yield path(row), _page(row)


def statuses() -> str:
    """Return a table of every version with the number of its sources of each status."""
    rows = []
    for row in names():
        records = functions.rulebooks(f"{row['id']}@{row['version']}").records()
        keys = re.compile(r"status|sources\..+\.status")
        said = [str(one["value"]) for one in records if keys.fullmatch(str(one["key"]))]
        counts = [str(said.count(word)) for word in _STATUS]
        link = f"[{row['id']} {row['version']}]({path(row)})"
        rows.append((link, row["status"], *counts))
    words = ("rulebook", "as a whole", *(f"sources {word}" for word in _STATUS))
    return table(words, rows, "llrrr")


def _index(listed: list[dict[str, str]]) -> str:
    rows = [
        (
            f"[{row['id']} {row['version']}]({path(row).removeprefix('rulebooks/')})",
            plain(row["venue"]),
            plain(row["mode"]),
            row["effective"],
            row["status"],
        )
        for row in listed
    ]
    lines = [
        "# Rulebooks",
        "",
        (
            "A rulebook is data: what shares one margin, how a requirement is measured, what "
            "counts as equity, what is closed first. Each number carries its source, the day it "
            "was read and how sure it is; [the schema](schema.md) says what every key means and "
            "how to write one."
        ),
        "",
        *(f"* `{word}`: {what}." for word, what in _STATUS.items()),
        "",
        (
            "The status of a rulebook is the weakest of its sources. A version is chosen as "
            "`deribit-spm@2024.06`; a name alone is the newest that does not rest on second-hand "
            "numbers."
        ),
        "",
        table(("rulebook", "venue", "what it covers", "in force from", "status"), rows),
        "```{toctree}",
        ":hidden:",
        "",
        "schema",
        *(path(row).removeprefix("rulebooks/").removesuffix(".md") for row in listed),
        "```",
        "",
    ]
    return "\n".join(lines)


def _page(row: dict[str, str]) -> str:
    name = f"{row['id']}@{row['version']}"
    rows: Rows = [
        {key: shown(value) for key, value in record.items()}
        for record in functions.rulebooks(name).records()
    ]
    values = {record["key"]: record["value"] for record in rows}
    facts = [
        ("venue", plain(row["venue"])),
        ("covers", plain(row["mode"])),
        ("in force from", row["effective"]),
        ("status", f"{row['status']}: {_STATUS[row['status']]}"),
        ("totals in", (f"{values['report_currency']}; symbols settle in {values['settle']} unless "
                      "they say otherwise")),
        ("in a formula", code(f'=CM_BOOK(Positions[#All],"{name}",Collateral[#All])')),
    ]  # fmt: skip
    lines = [f"# {row['id']} {row['version']}", "", table(("", ""), facts), ""]
    for title, said in (
        ("What is refused", rulebook_words.refused(values)),
        ("What you paste", rulebook_words.inputs(values)),
        ("How the margin is measured", rulebook_words.measure(values)),
        ("When it is broken", rulebook_words.levels(values)),
        ("How it is liquidated", rulebook_words.liquidation(values)),
    ):
        lines += [
            f"## {title}",
            "",
            *(f"* {sentence[:1].upper()}{sentence[1:]}" for sentence in said),
            "",
        ]
    lines += [
        "## Tables of your own",
        "",
        (
            "Print it, change it, cite where the numbers come from, and use the file in its place; "
            "or paste its rows from `CM_RULEBOOKS` into the sheet Rulebook and give them to "
            "`CM_BOOK`."
        ),
        "",
        block(
            f"crossmargin rulebooks show {name} --toml > mine.toml\n"
            f"crossmargin rulebooks diff {name} mine.toml"
        ),
        "## Numbers",
        "",
        *_numbers(rows),
        "## Sources",
        "",
        _sources(values),
        "",
    ]
    return "\n".join(lines)


def _numbers(rows: Rows) -> Iterator[str]:
    """Yield a table for each part and source; what says so about itself stands elsewhere."""
    for part in _PARTS:
        own = [row for row in rows if row["part"] == part and not _TOLD.fullmatch(row["key"])]
        if not own:
            continue
        yield f"### {_TITLES[part]}"
        yield ""
        for (source, note), group in groupby(own, lambda row: (row["source"], _cited(row))):
            yield f"Source: {plain(source)}. {_sentence(note)}"
            yield ""
            brackets: dict[str, Rows] = {}
            others: Rows = []
            for row in group:
                table_of = _BRACKETS.fullmatch(row["key"])
                (brackets.setdefault(table_of[1], []) if table_of else others).append(row)
            if others:
                cells = [
                    (code(row["key"]), plain(row["value"]), plain(row["unit"])) for row in others
                ]
                yield table(("key", "value", "unit"), cells)
            for name, columns in brackets.items():
                yield from _table_of_brackets(name, columns)


def _table_of_brackets(name: str, rows: Rows) -> Iterator[str]:
    """Yield a bracket table with a row per bracket, amounts and rates as they are computed."""
    found: dict[str, list[str]] = {}
    used_by = unit = ""
    for row in rows:
        word = row["key"].rpartition(".")[2]
        if word == "used_by":
            used_by = row["value"]
            continue
        found[word] = row["value"].split("; ")
        found |= {words: numbers.split() for words, numbers in _COMPUTED.findall(row["note"])}
        unit = row["unit"] if word == "floors" else unit
    columns = {
        f"{title}, {unit}" if word in _IN_MONEY else title: found[word]
        for word, title in _BRACKET_WORDS.items()
        if word in found
    }
    yield f"**{plain(name)}**" + (f", used by {plain(used_by)}" if used_by else "")
    yield ""
    lines = [[_figure(cell) for cell in line] for line in zip(*columns.values(), strict=True)]
    yield table(list(columns), lines, "r" * len(columns))


def _figure(text: str) -> str:
    return shown(float(text))


def _cited(row: dict[str, str]) -> str:
    """Return what the source says, without what was computed from the row."""
    return _COMPUTED.sub("", row["note"]).removesuffix("; ")


def _sentence(note: str) -> str:
    status, _, words = note.partition("; ")
    return f"**{plain(status)}**" + (f": {plain(words)}." if words else ".")


def _sources(values: dict[str, str]) -> str:
    cited = (key.removeprefix("sources.") for key in values if key.startswith("sources."))
    keys = dict.fromkeys(key.rpartition(".")[0] for key in cited)
    general = tuple(plain(values.get(word, "")) for word in _CITED)
    rows = [("`general`", *general)]
    for key in keys:
        said = [plain(values.get(f"sources.{key}.{word}", "")) for word in _CITED[1:]]
        rows.append((code(key), plain(values[f"sources.{key}.address"]), *said))
    return table(("name", "where", "read", "in force from", "status", "note"), rows)


_SCHEMA: Final = """```{include} ../../../rust_core/engine/rulebooks/README.md
```
"""
_TOLD: Final = re.compile(
    r"(id|version|venue|mode|source|retrieved|effective|status|note)|.*\.source"
)
_BRACKETS: Final = re.compile(
    r"tiers\.tables\.(.+)\.(?:floors|maintenance_rates|max_leverage|used_by)"
)
_COMPUTED: Final = re.compile(
    r"(cumulative amounts computed|maintenance rates that hold): ([-\d. e+]+)"
)
_BRACKET_WORDS: Final = {
    "floors": "from",
    "maintenance_rates": "maintenance rate",
    "maintenance rates that hold": "maintenance rate",
    "max_leverage": "most leverage",
    "cumulative amounts computed": "cumulative amount",
}
_IN_MONEY: Final = frozenset({"floors", "cumulative amounts computed"})
_CITED: Final = ("source", "retrieved", "effective", "status", "note")
