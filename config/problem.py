"""Something the operator can mend."""


class Problem(Exception):
    """Stops a command; the message is one sentence that says what is wrong and what to do, shown without a traceback."""
