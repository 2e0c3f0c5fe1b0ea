"""Something the operator can mend."""


class Problem(Exception):
    """Stops a command; its message, one sentence without a traceback, says what is wrong and what to do."""
