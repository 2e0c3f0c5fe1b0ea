"""One small SVG file holds exactly the icons in use, and a wrong name is found before a page is shown without it."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from config.data_folder import PROJECT
from config.frontend import MODULES, sprite, used_icons
from config.problem import Problem

SVG = "{http://www.w3.org/2000/svg}"
DRAWING = """<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24" viewBox="0 0 24 24" class="icon">
  <path stroke="none" d="M0 0h24v24H0z" fill="none" />
  <path d="M5 12l-2 0" />
</svg>"""


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A library of one icon, outlined and filled."""
    for kind in ("outline", "filled"):
        (tmp_path / kind).mkdir()
        (tmp_path / kind / "rocket.svg").write_text(DRAWING)
    return tmp_path


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that names icons in every way there is."""
    folder = tmp_path / "project"
    (folder / "templates" / "deep").mkdir(parents=True)
    (folder / "templates" / "deep" / "page.html").write_text(
        """{% icon "rocket" %}{%icon 'moon' "me-2"%}{% icon item.icon %}{# icon "never" #}"""
    )
    (folder / "agentversions").mkdir()
    (folder / "agentversions" / "states.py").write_text(
        '"""Docs: {% icon "example" %}."""\n'
        'ICONS = {"saved": "check", "lost": "alert-triangle"}\n'
        'Tab(key="voice", icon="volume")\n'
        'Entry("Build", "Agents", "robot", "agentversions:agent_list")\n'
    )
    (folder / "agentversions" / "tuple.py").write_text('ICONS: tuple[str, ...] = ("plus", "minus")\n')
    return folder


def test_every_way_of_naming_an_icon_is_found(project: Path) -> None:
    assert set(used_icons(project)) == {
        "rocket", "moon", "check", "alert-triangle", "volume", "robot", "plus", "minus",
    }  # fmt: skip


def test_the_sprite_holds_one_symbol_per_icon_without_the_invisible_box(library: Path) -> None:
    document = ET.fromstring(sprite({"rocket": Path("page.html")}, library))
    (symbol,) = document.findall(f"{SVG}symbol")
    assert symbol.attrib["id"] == "tabler-rocket"
    assert symbol.attrib["viewBox"] == "0 0 24 24"
    assert (symbol.attrib["fill"], symbol.attrib["stroke"]) == ("none", "currentColor")
    assert [path.attrib["d"] for path in symbol] == ["M5 12l-2 0"]


def test_a_filled_icon_is_painted_not_outlined(library: Path) -> None:
    (symbol,) = ET.fromstring(sprite({"rocket-filled": Path("page.html")}, library)).findall(f"{SVG}symbol")
    assert symbol.attrib["id"] == "tabler-rocket-filled"
    assert symbol.attrib["fill"] == "currentColor"
    assert "stroke" not in symbol.attrib


def test_an_unknown_icon_is_named_with_the_file_that_uses_it(library: Path) -> None:
    with pytest.raises(Problem, match=r'templates/page.html names the icon "rokcet", which Tabler does not have'):
        sprite({"rokcet": Path("templates/page.html")}, library)


def test_the_pages_name_only_icons_that_exist() -> None:
    if not MODULES.exists():
        pytest.skip("The front-end libraries are not installed (make test does it).")
    icons = used_icons(PROJECT)
    drawn = sprite(icons, MODULES / "@tabler" / "icons" / "icons")
    assert drawn.count("<symbol ") == len(icons) > 0
