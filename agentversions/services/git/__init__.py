"""Versions from git and back: following a branch, storing what it brings, writing what is published here."""
