"""The documentation names every setting that the code reads."""

import re
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
READ = re.compile(r"""(?:environ(?:\.get)?[(\[]|\bflag\(|\bwords\()\s*f?["']([A-Z][A-Z_]+)["']""")
OURS = {"AGENT_VERSIONS_SUPERVISED", "MAKELEVEL", "UPGRADE", "DJANGO_SETTINGS_MODULE"}
"""Set by our own start-up, not by people."""


def test_every_setting_is_documented() -> None:
    documented = (PROJECT / "docs" / "operations.md").read_text(encoding="utf-8")
    read = {
        name for path in (PROJECT / "config").glob("*.py") for name in READ.findall(path.read_text(encoding="utf-8"))
    }
    assert len(read) > 15
    assert sorted(name for name in read - OURS if f"`{name}`" not in documented) == []
