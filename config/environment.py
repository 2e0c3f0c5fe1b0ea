"""How variables of the environment are read: yes or no, lists of words."""

import os


def flag(name: str, *, default: bool = False) -> bool:
    """A yes/no variable: 1, true, yes or on."""
    return os.environ.get(name, str(default)).strip().lower() in {"1", "true", "yes", "on"}


def words(name: str) -> list[str]:
    """A variable with a comma-separated list."""
    return [word.strip() for word in os.environ.get(name, "").split(",") if word.strip()]
