#!/usr/bin/env bash
# Installs LibreOffice 25.2 or newer from Debian backports; does nothing where it is already there.
#
# Mirror and keyring are those of the machine's own Debian sources; only the suite is added, in
# private lists, so that the machine's sources stay as they are. Debian 12's own 7.4 does not know
# add-in functions in .xlsx files.
set -euo pipefail

needed_major=25
needed_minor=2
suite=bookworm-backports
packages=(
  libreoffice-calc libreoffice-script-provider-python python3-uno
  fonts-crosextra-carlito fonts-dejavu fonts-liberation poppler-utils
)

refuse() {
  echo "libreoffice: $1" >&2
  exit 1
}

# True when soffice, its Python bridge and the two helpers of the tests are usable.
is_present() {
  command -v soffice >/dev/null && command -v unopkg >/dev/null || return 1
  /usr/bin/python3 -c 'import uno' 2>/dev/null || return 1
  command -v pdftoppm >/dev/null || return 1
  local version
  version=$(soffice --version 2>/dev/null | sed -nE 's/^LibreOffice ([0-9]+)\.([0-9]+).*/\1 \2/p')
  [[ -n $version ]] || return 1
  local major minor
  read -r major minor <<<"$version"
  ((major > needed_major || (major == needed_major && minor >= needed_minor)))
}

# Prints "address<TAB>keyring" of the first source of the main Debian archive (not security).
main_archive() {
  /usr/bin/python3 - <<'PYTHON'
import pathlib
import re

folder = pathlib.Path("/etc/apt")
for path in sorted(folder.glob("sources.list.d/*.sources")):
    for block in re.split(r"\n\s*\n", path.read_text(encoding="utf-8")):
        lines = [line for line in block.splitlines() if not line.lstrip().startswith("#")]
        field = dict(re.findall(r"(?m)^([A-Za-z-]+):[ \t]*(.*)$", "\n".join(lines)))
        suites = field.get("Suites", "").split()
        enabled = field.get("Enabled", "yes").lower() != "no"
        if enabled and "deb" in field.get("Types", "").split() and "bookworm" in suites:
            print(field["URIs"].split()[0], field.get("Signed-By", ""), sep="\t")
            raise SystemExit
for path in [folder / "sources.list", *sorted(folder.glob("sources.list.d/*.list"))]:
    if not path.exists():
        continue
    for line in path.read_text(encoding="utf-8").splitlines():
        found = re.match(r"deb\s+(?:\[([^]]*)\]\s+)?(\S+)\s+bookworm\s", line)
        if found:
            keyring = re.search(r"signed-by=(\S+)", found[1] or "")
            print(found[2], keyring[1] if keyring else "", sep="\t")
            raise SystemExit
PYTHON
}

if is_present; then
  echo "libreoffice: $(soffice --version 2>/dev/null | head -n 1) is present"
  exit 0
fi

as_root=()
if ((EUID != 0)); then
  command -v sudo >/dev/null || refuse "installing needs root or sudo"
  as_root=(sudo)
fi

source_line=$(main_archive)
if [[ -z $source_line ]]; then
  echo "libreoffice: not Debian 12, trying the system's own packages"
  "${as_root[@]}" apt-get update
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y \
    --no-install-recommends "${packages[@]}"
  is_present || refuse "the system's LibreOffice is older than $needed_major.$needed_minor"
  exit 0
fi
IFS=$'\t' read -r address keyring <<<"$source_line"

private=$(mktemp -d)
trap 'rm -rf "$private"' EXIT
chmod 755 "$private" # apt reads it as its own user
mkdir -p "$private/parts" "$private/lists/partial"
# The machine's own sources stay in force beside the added suite: dependencies come from there.
[[ -e /etc/apt/sources.list ]] && cp /etc/apt/sources.list "$private/parts/own.list"
shopt -s nullglob
for file in /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list; do
  cp "$file" "$private/parts/"
done
option=""
[[ -n $keyring ]] && option="[signed-by=$keyring] "
echo "deb ${option}${address} ${suite} main" >"$private/parts/crossmargin-backports.list"

apt=(
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get
  -o "Dir::Etc::sourcelist=/dev/null"
  -o "Dir::Etc::sourceparts=$private/parts"
  -o "Dir::State::lists=$private/lists"
)
"${apt[@]}" update
"${apt[@]}" install -y --no-install-recommends -t "$suite" "${packages[@]}"

is_present || refuse "installed, but soffice >= $needed_major.$needed_minor with Python does not answer"
echo "libreoffice: $(soffice --version 2>/dev/null | head -n 1) installed"
