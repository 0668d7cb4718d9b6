"""Compound files (MS-CFB version 3): a small file system inside one file."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["compound_file"]

Storage: TypeAlias = "Mapping[str, bytes | Storage]"

_SECTOR, _SMALL_SECTOR, _SMALL_BELOW = 512, 64, 4096
_END, _FREE, _TABLE, _NOBODY = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD, 0xFFFFFFFF
_ROOT, _STORAGE, _STREAM = 5, 1, 2
_TABLES_IN_HEADER = 109


@dataclass
class _Entry:
    name: str
    kind: int
    data: bytes = b""
    left: int = _NOBODY
    right: int = _NOBODY
    child: int = _NOBODY
    black: bool = True
    first: int = 0


def compound_file(content: Storage) -> bytes:
    """Return a compound file.

    Parameters
    ----------
    content
        Streams (bytes) and storages (mappings) by name.
    """
    entries = [_Entry("Root Entry", _ROOT)]
    _add(entries, entries[0], content)

    small, small_chain = b"", []  # type: bytes, list[int]
    for entry in entries:
        if entry.kind == _STREAM and len(entry.data) < _SMALL_BELOW:
            entry.first = len(small_chain) if entry.data else _END
            small_chain += _chain(len(small_chain), entry.data, _SMALL_SECTOR)
            small += _padded(entry.data, _SMALL_SECTOR)
    small_table = _padded(_numbers(small_chain), _SECTOR, b"\xff")

    directory_size = -(-len(entries) // 4) * _SECTOR
    large = [e for e in entries if e.kind == _STREAM and len(e.data) >= _SMALL_BELOW]
    sizes = [directory_size, len(small_table), len(small), *(len(e.data) for e in large)]
    sectors = sum(-(-size // _SECTOR) for size in sizes)
    tables = 1
    while tables * _SECTOR // 4 < sectors + tables:
        tables += 1
    if tables > _TABLES_IN_HEADER:
        raise ValueError(f"a compound file of {sectors} sectors is larger than is supported")

    chain = [_TABLE] * tables
    places = []
    for size in sizes:
        places.append(len(chain) if size else _END)
        chain += _chain(len(chain), bytes(size), _SECTOR)
    for entry, place in zip(large, places[3:], strict=True):
        entry.first = place
    entries[0].first, entries[0].data = places[2], small

    header = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16)
    header += struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack(
        "<IIIIIIIIII",
        0,
        tables,
        places[0],
        0,
        _SMALL_BELOW,
        places[1],
        len(small_table) // _SECTOR,
        _END,
        0,
        0,
    )[:-4]
    header += _padded(_numbers(list(range(tables))), _TABLES_IN_HEADER * 4, b"\xff")
    directory = b"".join(map(_directory_entry, entries)).ljust(directory_size, b"\0")
    body = [_padded(_numbers(chain), _SECTOR, b"\xff"), directory, small_table]
    body += [_padded(small, _SECTOR), *(_padded(entry.data, _SECTOR) for entry in large)]
    return header + b"".join(body)


def _add(entries: list[_Entry], parent: _Entry, content: Storage) -> None:
    """Append the entries of a storage and join them to a red-black tree below it."""
    numbers = []
    for name in sorted(content, key=lambda name: (len(name), name.upper())):
        value = content[name]
        entry = _Entry(name, _STREAM, value) if isinstance(value, bytes) else _Entry(name, _STORAGE)
        numbers.append(len(entries))
        entries.append(entry)
        if not isinstance(value, bytes):
            _add(entries, entry, value)
    depth = (len(numbers) + 1).bit_length() - 1  # levels that are full, and therefore black
    parent.child = _tree(entries, numbers, depth)


def _tree(entries: list[_Entry], numbers: list[int], black_levels: int) -> int:
    if not numbers:
        return _NOBODY
    middle = len(numbers) // 2
    entry = entries[numbers[middle]]
    entry.black = black_levels > 0
    entry.left = _tree(entries, numbers[:middle], black_levels - 1)
    entry.right = _tree(entries, numbers[middle + 1 :], black_levels - 1)
    return numbers[middle]


def _directory_entry(entry: _Entry) -> bytes:
    name = entry.name.encode("utf-16-le") + b"\0\0"
    return (
        name.ljust(64, b"\0")
        + struct.pack("<HBB", len(name), entry.kind, entry.black)
        + struct.pack("<III", entry.left, entry.right, entry.child)
        + bytes(36)
        + struct.pack("<II4x", entry.first, len(entry.data))
    )


def _chain(first: int, data: bytes, sector: int) -> list[int]:
    count = -(-len(data) // sector)
    return [*range(first + 1, first + count), _END] if count else []


def _numbers(values: list[int]) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


def _padded(data: bytes, sector: int, filler: bytes = b"\0") -> bytes:
    return data + filler * (-len(data) % sector)
