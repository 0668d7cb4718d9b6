"""Compound files (MS-CFB version 3): a small file system inside one file."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["compound_file", "read_stream"]

Storage: TypeAlias = "Mapping[str, bytes | Storage]"

_SECTOR, _SMALL_SECTOR, _SMALL_BELOW = 512, 64, 4096
_END, _FREE, _TABLE, _NOBODY = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD, 0xFFFFFFFF
_SECTOR_SHIFTS = (9, 12)  # of versions 3 and 4
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


def read_stream(data: bytes, name: str) -> bytes:
    """Return a stream of a compound file, wherever in it the stream lies.

    Parameters
    ----------
    data
        The file, of version 3 or 4.
    name
        The stream's own name, without those of its storages.

    Raises
    ------
    ValueError
        If the file is damaged, or has no such stream.
    """
    try:
        return _Reader(data).stream(name)
    except (struct.error, IndexError, UnicodeDecodeError) as damage:
        raise ValueError(f"a compound file is damaged: {damage}") from None


class _Reader:
    def __init__(self, data: bytes) -> None:
        if data[:8] != bytes.fromhex("d0cf11e0a1b11ae1"):
            raise ValueError("no compound file")
        self.data = data
        (shift,) = struct.unpack_from("<H", data, 0x1E)
        if shift not in _SECTOR_SHIFTS:
            raise ValueError(f"a compound file with sectors of 2^{shift} bytes")
        self.size = 1 << shift
        tables = struct.unpack_from("<109I", data, 0x4C)
        if struct.unpack_from("<I", data, 0x48)[0]:
            raise ValueError("a compound file that is larger than is supported")
        self.table = [
            number
            for place in tables
            if place != _NOBODY
            for number in struct.unpack(f"<{self.size // 4}I", self._sector(place))
        ]
        first, small_first = struct.unpack_from("<I8xI", data, 0x30)
        self.directory = self._chained(first)
        small_table = self._chained(small_first)
        self.small_table = struct.unpack(f"<{len(small_table) // 4}I", small_table)
        root = self._entry(0)
        self.small = self._chained(root[2])

    def stream(self, name: str) -> bytes:
        for number in range(len(self.directory) // 128):
            found, kind, first, size = self._entry(number)
            if (found, kind) != (name, _STREAM):
                continue
            if size >= _SMALL_BELOW:
                return self._chained(first)[:size]
            return self._small_chained(first)[:size]
        raise ValueError(f"a compound file without {name}")

    def _entry(self, number: int) -> tuple[str, int, int, int]:
        entry = self.directory[128 * number : 128 * number + 128]
        length, kind = struct.unpack_from("<HB", entry, 64)
        first, size = struct.unpack_from("<II", entry, 116)
        return entry[: max(length - 2, 0)].decode("utf-16-le"), kind, first, size

    def _sector(self, place: int) -> bytes:
        start = (place + 1) * self.size
        return self.data[start : start + self.size].ljust(self.size, b"\0")

    def _chained(self, place: int) -> bytes:
        found = bytearray()
        for sector in self._chain(place, self.table):
            found += self._sector(sector)
        return bytes(found)

    def _small_chained(self, place: int) -> bytes:
        found = bytearray()
        for sector in self._chain(place, self.small_table):
            found += self.small[sector * _SMALL_SECTOR : (sector + 1) * _SMALL_SECTOR]
        return bytes(found)

    def _chain(self, place: int, table: Sequence[int]) -> list[int]:
        chain: list[int] = []
        while place < _TABLE:
            chain.append(place)
            if len(chain) > len(table):
                raise ValueError("a compound file whose sectors go round in a circle")
            place = table[place]
        return chain
