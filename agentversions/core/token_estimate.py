"""Estimates how many tokens a text has, without any provider's own tokeniser: good enough to notice a long prompt."""

import math
import re

DENSE = re.compile(r"[\u0e00-\u0e7f\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]")
"""Scripts in which about every character is a token: Thai, Hangul, Kana, Han."""
CHARACTERS_PER_TOKEN = 4


def estimate_tokens(text: str) -> int:
    """One token for each character of a dense script, one for every four other characters; static/js/counts.js
    computes the same."""
    dense = len(DENSE.findall(text))
    return dense + math.ceil((len(text) - dense) / CHARACTERS_PER_TOKEN)
