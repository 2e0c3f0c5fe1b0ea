"""Shares of callers: kept as buckets of 100,000, typed and shown as per cent with up to three decimals."""

import re
from collections.abc import Sequence
from decimal import Decimal

from .bucketing import BUCKETS

_PERCENT = re.compile(r"\s*(\d{1,3})(?:[.,](\d{1,3}))?\s*%?\s*")


class NotAShare(ValueError):
    """A text that is no share; the message says what to type."""


def read_percent(text: str) -> int:
    """Buckets of a share typed as per cent (`33.333`, `33,333 %`). Raises NotAShare."""
    match = _PERCENT.fullmatch(text)
    if match is None:
        raise NotAShare("Write the share in per cent with at most three decimals, such as 33.333.")
    buckets = int(match[1]) * 1000 + int((match[2] or "").ljust(3, "0"))
    if buckets > BUCKETS:
        raise NotAShare("A share is at most 100 %.")
    return buckets


def percent(buckets: int) -> str:
    """A share as per cent without needless zeros: 50000 is `50`, 33333 is `33.333`."""
    text = f"{Decimal(buckets) / 1000:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def sum_in_words(shares: Sequence[int]) -> str:
    """What is wrong with the sum of shares, with what is missing or too much; empty when they add up."""
    rest = BUCKETS - sum(shares)
    if rest == 0:
        return ""
    side = f"{percent(rest)} % are still free" if rest > 0 else f"{percent(-rest)} % are too much"
    return f"The shares add up to {percent(sum(shares))} %, not 100 %: {side}."
