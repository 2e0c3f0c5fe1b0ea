#!/usr/bin/env python
"""Django's command line for this project."""

import os
import sys

from django.core.management import execute_from_command_line

from config.origin import COMMAND, Origin, originating


def main(arguments: list[str]) -> None:
    """Run a command; the audit trail says by which one something was changed."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    with originating(Origin(COMMAND, "".join(arguments[1:2]))):
        execute_from_command_line(arguments)


if __name__ == "__main__":
    main(sys.argv)
