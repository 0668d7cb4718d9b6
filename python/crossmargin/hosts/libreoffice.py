"""LibreOffice: builds the add-in `crossmargin.oxt` from the registry and the installed package.

The archive holds an interface in IDL text, the help texts, this package's Python files and the
compiled core; LibreOffice's own Python runs it, with the standard library and nothing else. The
same inputs give the same bytes.

How a parameter is declared decides what LibreOffice hands over (tried in 25.2):

* `XCellRange` takes references only. The function is called even if cells hold errors, so it can
  name them; it sees formulas; whole columns can be cut. It can be skipped (`;;`) but not left off
  at the end (Err:504), so only required ranges are declared so: blocks, and the kind `cell`.
* `any` takes everything and may be left off, but LibreOffice itself answers Err:504 where a range
  holds an error; `CM_CHECK` of that range names the cell.
"""

from __future__ import annotations

import sys
import sysconfig
import zipfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

from crossmargin import registry
from crossmargin.hosts.libreoffice_names import (
    INTERFACE,
    MODULE_PATH,
    SERVICE,
    is_reference,
    method_name,
    parameter_name,
    returns_rows,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crossmargin.registry import Argument, Record

__all__ = ["build", "configuration", "interface", "main"]

IDENTIFIER: Final = "org.crossmargin.addin"
_FIRST_DATE: Final = (1980, 1, 1, 0, 0, 0)  # of a zip archive; a date would change the bytes
_XML: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'
_PLATFORMS: Final = {
    "linux-x86_64": "linux_x86_64",
    "linux-aarch64": "linux_aarch64",
    "win-amd64": "windows_x86_64",
    "win-arm64": "windows_aarch64",
}


def build(
    path: Path | str,
    *,
    functions: str = registry.FUNCTIONS_MODULE,
    sources: Mapping[str, bytes] | None = None,
) -> Path:
    """Write the add-in and return its path.

    Parameters
    ----------
    path
        The file to write, usually `crossmargin.oxt`.
    functions
        The module whose import registers the functions.
    sources
        Further files beside the package, name to contents, such as the module just named.

    Returns
    -------
    Path
        The file written.
    """
    records = registry.records(functions)
    package = _package()
    compiled = any(Path(name).suffix in {".so", ".pyd"} for name in package)
    files = {
        "META-INF/manifest.xml": _manifest().encode(),
        "description.xml": _description(compiled=compiled).encode(),
        "CalcAddIns.xcu": configuration(records).encode(),
        "crossmargin.components": _components().encode(),
        "crossmargin.idl": interface(records).encode(),
        "crossmargin_uno.py": _entry(functions).encode(),
        **{f"pythonpath/{name}": content for name, content in package.items()},
        **{f"pythonpath/{name}": content for name, content in (sources or {}).items()},
    }
    path = Path(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name, _FIRST_DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # the same on every system
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return path


def interface(records: Sequence[Record]) -> str:
    """Return the add-in's interface as IDL text.

    Parameters
    ----------
    records
        The functions.
    """
    methods = "\n".join(
        f"  {_result_type(record)} {method_name(record.sheet_name)}"
        f"({', '.join(map(_parameter, record.arguments))});"
        for record in records
    )
    opening = " ".join(f"module {part} {{" for part in MODULE_PATH)
    closing = " ".join("};" for _ in MODULE_PATH)
    return f"{opening}\ninterface {INTERFACE} {{\n{methods}\n}};\n{closing}\n"


def configuration(records: Sequence[Record]) -> str:
    """Return names and help of the functions, as `CalcAddIns.xcu`.

    Parameters
    ----------
    records
        The functions.
    """
    functions = "\n".join(map(_function_node, records))
    return f"""{_XML}<oor:component-data xmlns:oor="http://openoffice.org/2001/registry"
    xmlns:xs="http://www.w3.org/2001/XMLSchema"
    oor:name="CalcAddIns" oor:package="org.openoffice.Office">
<node oor:name="AddInInfo">
<node oor:name="{SERVICE}" oor:op="replace">
<node oor:name="AddInFunctions">
{functions}
</node>
</node>
</node>
</oor:component-data>
"""


def _parameter(argument: Argument) -> str:
    kind = "com::sun::star::table::XCellRange" if is_reference(argument) else "any"
    return f"[in] {kind} {parameter_name(argument.name)}"


def _result_type(record: Record) -> str:
    return "sequence< sequence< any > >" if returns_rows(record) else "any"


def _function_node(record: Record) -> str:
    parameters = "\n".join(map(_parameter_node, record.arguments))
    return f"""<node oor:name="{method_name(record.sheet_name)}" oor:op="replace">
{_property("DisplayName", record.sheet_name)}
{_property("Description", record.summary)}
<prop oor:name="Category"><value>Add-In</value></prop>
{_property("CompatibilityName", record.sheet_name)}
<node oor:name="Parameters">
{parameters}
</node>
</node>"""


def _parameter_node(argument: Argument) -> str:
    shown = f"[{argument.name}]" if argument.optional else argument.name
    return f"""<node oor:name="{parameter_name(argument.name)}" oor:op="replace">
{_property("DisplayName", shown)}
{_property("Description", argument.doc)}
</node>"""


def _property(name: str, text: str) -> str:
    return f'<prop oor:name="{name}"><value xml:lang="en">{escape(text)}</value></prop>'


def _manifest() -> str:
    entries = (
        ("application/vnd.sun.star.uno-typelibrary;type=RDB", "crossmargin.idl"),
        ("application/vnd.sun.star.uno-components", "crossmargin.components"),
        ("application/vnd.sun.star.configuration-data", "CalcAddIns.xcu"),
    )
    lines = "\n".join(
        f'<manifest:file-entry manifest:media-type="{kind}" manifest:full-path="{name}"/>'
        for kind, name in entries
    )
    return f"""{_XML}<manifest:manifest xmlns:manifest="http://openoffice.org/2001/manifest">
{lines}
</manifest:manifest>
"""


def _components() -> str:
    return f"""{_XML}<components xmlns="http://openoffice.org/2010/uno-components">
<component loader="com.sun.star.loader.Python" uri="crossmargin_uno.py">
<implementation name="{SERVICE}">
<service name="com.sun.star.sheet.AddIn"/>
<service name="{SERVICE}"/>
</implementation>
</component>
</components>
"""


def _description(*, compiled: bool) -> str:
    platform = ""
    if compiled:
        platform = f'<platform value="{_platform()}"/>\n'
    return f"""{_XML}<description xmlns="http://openoffice.org/extensions/description/2006"
    xmlns:d="http://openoffice.org/extensions/description/2006"
    xmlns:l="http://libreoffice.org/extensions/description/2011">
<identifier value="{IDENTIFIER}"/>
<version value="{_version()}"/>
{platform}<dependencies>
<l:LibreOffice-minimal-version d:name="LibreOffice 25.2" value="25.2"/>
</dependencies>
<display-name><name lang="en">crossmargin: margin and liquidation</name></display-name>
</description>
"""


def _entry(functions: str) -> str:
    return f'''"""What LibreOffice loads: the functions of {functions}."""

from crossmargin.hosts.libreoffice_runtime import implementation

g_ImplementationHelper = implementation("{functions}")
'''


def _platform() -> str:
    name = sysconfig.get_platform()
    if name.startswith("macosx"):
        return "macosx_aarch64" if name.endswith("arm64") else "macosx_x86_64"
    return _PLATFORMS.get(name, "all")


def _version() -> str:
    try:
        return version("crossmargin")
    except PackageNotFoundError:
        return "0.0.0"


def _package() -> dict[str, bytes]:
    """Return the package's Python files and its compiled core, name to contents."""
    root = Path(__file__).resolve().parent.parent
    found = [path for path in root.rglob("*") if path.suffix in {".py", ".so", ".pyd"}]
    return {path.relative_to(root.parent).as_posix(): path.read_bytes() for path in found}


def main() -> None:
    """Write the add-in to the path given on the command line."""
    build(sys.argv[1] if len(sys.argv) > 1 else "crossmargin.oxt")


if __name__ == "__main__":
    main()
