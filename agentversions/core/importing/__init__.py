"""Imports: documents of other platforms and of our own, each read into a configuration without losing a byte."""

from .imported import Imported
from .read import read_import, read_whole_text

__all__ = ["Imported", "read_import", "read_whole_text"]
