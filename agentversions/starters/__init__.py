"""Agents to start from: complete configurations with placeholders in square brackets, kept as YAML beside this file."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from agentversions.core.configuration import AgentConfiguration
from agentversions.core.reading import read_document

ICONS = ("file", "phone", "clipboard-list", "sitemap", "message-chatbot")
"""The icons that templates use; set-up puts them into the sprite."""


@dataclass(frozen=True)
class Starter:
    """One template: its key (the file's name), a label, a sentence, an icon, and the configuration."""

    key: str
    label: str
    says: str
    icon: str
    configuration: AgentConfiguration


@cache
def starters() -> tuple[Starter, ...]:
    """All templates, blank first."""
    return (_blank(), *(_read(path) for path in sorted(Path(__file__).parent.glob("*.yaml"))))


def starter(key: str) -> Starter:
    """The template with this key. Raises KeyError when there is none."""
    return {each.key: each for each in starters()}[key]


def _blank() -> Starter:
    configuration = read_document({"name": "New agent"})
    return Starter("blank", "Blank", "Nothing but defaults. Write the prompt yourself.", "file", configuration)


def _read(path: Path) -> Starter:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    configuration = read_document(document["configuration"])
    return Starter(path.stem, document["label"], document["says"], document["icon"], configuration)
