"""Passes XML through, element by element, and lets rules change or leave out what they name.

Prefixes and declarations stay as they are, which the parts of a workbook need. Comments and
instructions are left out; a document type is refused, since no part of a workbook may have one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

__all__ = ["Filter", "Refused", "elements", "escaped", "in_attribute", "local"]

_RELATIONSHIPS: Final = (
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    "http://purl.oclc.org/ooxml/officeDocument/relationships",
)


class Refused(ValueError):  # noqa: N818 - reads as a sentence where it is caught
    """A part that is not what a workbook may hold."""


def local(name: str) -> str:
    """Return a name without its prefix."""
    return name.rpartition(":")[2]


def escaped(text: str) -> str:
    """Return a text as it stands between tags."""
    for sign, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\r", "&#13;")):
        text = text.replace(sign, entity)
    return text


def in_attribute(text: str) -> str:
    """Return a text as it stands in an attribute, without the quotes."""
    text = escaped(text).replace('"', "&quot;")
    return text.replace("\n", "&#10;").replace("\t", "&#9;")


def elements(data: bytes, name: str) -> list[dict[str, str]]:
    """Return the attributes of the elements of a name, by their names without prefixes.

    Raises
    ------
    Refused
        If it is no XML, or has a document type.
    """
    collector = _Collector(name)
    collector.passed(data)
    return collector.found


@dataclass
class _Open:
    name: str
    attributes: dict[str, str]
    is_held: bool = False
    written: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)


class Filter:
    """Base of the rules; by itself it changes nothing."""

    def opened(self, name: str, attributes: dict[str, str]) -> dict[str, str] | None:
        """Return the attributes of an element, or None to leave it out with all that is in it."""
        del name
        return attributes

    def holds(self, name: str) -> bool:
        """Return whether `closed` shall decide about an element once all of it is known."""
        del name
        return False

    def closed(self, name: str, attributes: dict[str, str], inner: str, text: str) -> str | None:
        """Return what stands in place of a held element: None for the element as it is.

        `inner` is what the rules left of its contents, `text` the characters in it.
        """
        del name, attributes, inner, text
        return None

    def passed(self, data: bytes) -> bytes:
        """Return a part as the rules leave it.

        Raises
        ------
        Refused
            If it is no XML, or has a document type.
        """
        self._stack: list[_Open] = [_Open("", {})]
        self._skipped = 0
        self._held = 0
        self._prefix = ""
        self._declared: dict[str, str] = {}
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = self._document_type
        try:
            parser.Parse(data, True)
        except Refused:
            raise
        # an encoding that is not known is a LookupError, one of several bytes a ValueError
        except (expat.ExpatError, LookupError, ValueError) as problem:
            raise Refused(f"a part of the file is no XML: {problem}") from None
        body = "".join(self._stack[0].written)
        return f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n{body}'.encode()

    @property
    def prefix(self) -> str:
        """Return the prefix of the element that is being closed, with its colon."""
        return self._prefix

    def is_within(self, name: str) -> bool:
        """Return whether an open element has this name."""
        return any(local(element.name) == name for element in self._stack)

    def relation(self, attributes: dict[str, str]) -> list[str]:
        """Return the attributes that name a relationship."""
        return [name for name in attributes if ":" in name and self._is_relation(name)]

    def _is_relation(self, name: str) -> bool:
        declared = f"xmlns:{name.partition(':')[0]}"
        # an element's own declarations count for it
        for known in (self._declared, *(one.attributes for one in reversed(self._stack))):
            if declared in known:
                return known[declared] in _RELATIONSHIPS
        return False

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if self._skipped:
            self._skipped += 1
            return
        self._declared = attributes
        kept = self.opened(local(name), attributes)
        self._declared = {}
        if kept is None:
            self._skipped = 1
            return
        is_held = self.holds(local(name))
        self._held += is_held
        self._stack.append(_Open(name, kept, is_held))

    def _end(self, name: str) -> None:
        if self._skipped:
            self._skipped -= 1
            return
        element = self._stack.pop()
        inner = "".join(element.written)
        made = None
        self._held -= element.is_held
        if element.is_held:
            text = "".join(element.text)
            self._prefix = name[: len(name) - len(local(name))]
            made = self.closed(local(name), element.attributes, inner, text)
        if made is None:
            made = _written(name, element.attributes, inner)
        self._stack[-1].written.append(made)
        if self._held:
            self._stack[-1].text += element.text

    def _characters(self, text: str) -> None:
        if not self._skipped:
            self._stack[-1].written.append(escaped(text))
            if self._held:
                self._stack[-1].text.append(text)

    def _document_type(self, *_: object) -> None:
        raise Refused("a part of the file has a document type, which no workbook has")


def _written(name: str, attributes: dict[str, str], inner: str) -> str:
    words = "".join(f' {key}="{in_attribute(value)}"' for key, value in attributes.items())
    return f"<{name}{words}>{inner}</{name}>" if inner else f"<{name}{words}/>"


class _Collector(Filter):
    def __init__(self, name: str) -> None:
        self.name = name
        self.found: list[dict[str, str]] = []

    def opened(self, name: str, attributes: dict[str, str]) -> dict[str, str] | None:
        if name == self.name:
            self.found.append({local(key): value for key, value in attributes.items()})
        return attributes
