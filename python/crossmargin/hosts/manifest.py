"""A list of what was installed, with hashes, so that it can be taken back and nothing else."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

__all__ = ["Manifest", "Removed", "hash_of"]


def hash_of(data: bytes) -> str:
    """Return the SHA-256 of some bytes, in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


@dataclass(frozen=True)
class Removed:
    """What taking back did.

    Parameters
    ----------
    removed
        Files that are gone.
    kept
        Files that were changed since they were written, and therefore belong to the user.
    in_use
        Files that could not be removed because a program holds them.
    """

    removed: tuple[Path, ...]
    kept: tuple[Path, ...]
    in_use: tuple[Path, ...]


@dataclass
class Manifest:
    """The list, and the file in which it stands.

    Parameters
    ----------
    path
        Its file.
    files
        From the path of each file written to its hash.
    folders
        Folders that were made, the outer ones first.
    """

    path: Path
    files: dict[str, str] = field(default_factory=dict)
    folders: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return the list in a file, an empty one if there is none.

        Raises
        ------
        ValueError
            If the file is no such list.
        """
        if not path.is_file():
            return cls(path)
        try:
            held = json.loads(path.read_text(encoding="utf-8"))
            files = {str(name): str(digest) for name, digest in held["files"].items()}
            return cls(path, files, [str(folder) for folder in held["folders"]])
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ValueError(f"{path} is no list of what crossmargin installed") from None

    def may_write(self, path: Path, data: bytes) -> bool:
        """Return whether a file is free, ours and unchanged, or already what it shall be."""
        if not path.exists():
            return True
        if not path.is_file():
            return False
        found = hash_of(path.read_bytes())
        return found == hash_of(data) or found == self.files.get(str(path))

    def write(self, contents: dict[Path, bytes]) -> None:
        """Write files and then the list of them.

        Parameters
        ----------
        contents
            Files and what they shall hold.

        Raises
        ------
        ValueError
            If a file is there that is not ours, or was changed since; nothing is written then.
        OSError
            If a file cannot be written.
        """
        for path, data in contents.items():
            if not self.may_write(path, data):
                raise ValueError(
                    f"{path} exists and is not as crossmargin wrote it, so it is left alone; "
                    "move it away or name another place"
                )
        for path, data in contents.items():
            self._make_folder(path.parent)
            # one that was there before, alike, is not ours to take away
            is_found = path.exists() and str(path) not in self.files
            if is_found:
                continue
            before = self.files.get(str(path))
            self.files[str(path)] = hash_of(data)
            self._save()  # before the file: a stop between the two must not leave it behind
            unfinished = path.with_name(f"{path.name}.part")
            try:
                unfinished.write_bytes(data)
                unfinished.replace(path)
            except OSError:  # such as a file that Excel holds
                unfinished.unlink(missing_ok=True)
                if before is None:
                    del self.files[str(path)]
                else:
                    self.files[str(path)] = before
                self._save()
                raise

    def take_back(self) -> Removed:
        """Remove the files that are still as they were written, and the folders made for them."""
        removed, kept, in_use = [], [], []
        for name, digest in list(self.files.items()):
            path = Path(name)
            path.with_name(f"{path.name}.part").unlink(missing_ok=True)
            if not path.is_file():
                del self.files[name]
            elif hash_of(path.read_bytes()) != digest:
                kept.append(path)
                del self.files[name]
            else:
                try:
                    path.unlink()
                except PermissionError:
                    in_use.append(path)
                    continue
                removed.append(path)
                del self.files[name]
        if in_use:
            self._save()
        else:
            self.path.unlink(missing_ok=True)
            self._remove_folders()
        return Removed(tuple(removed), tuple(kept), tuple(in_use))

    def _remove_folders(self) -> None:
        for folder in reversed(self.folders):
            path = Path(folder)
            if path.is_dir() and not any(path.iterdir()):
                path.rmdir()

    def _make_folder(self, folder: Path) -> None:
        missing = [one for one in (folder, *folder.parents) if not one.exists()]
        self.folders += [str(one) for one in reversed(missing)]
        folder.mkdir(parents=True, exist_ok=True)

    def _save(self) -> None:
        self._make_folder(self.path.parent)
        held = {"files": self.files, "folders": self.folders}
        self.path.write_text(json.dumps(held, indent=1) + "\n", encoding="utf-8")
