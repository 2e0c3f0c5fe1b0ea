"""Equality of JSON values: the same exactly when their canonical texts are, so `1` is `1.0` but never `true`."""

from typing import Any


def same(left: Any, right: Any) -> bool:
    """Whether two JSON values are the same. Python's `==` takes `1` for `true`, also deep inside objects and lists."""
    if left is right:
        return True
    if isinstance(left, dict):
        return (
            isinstance(right, dict) and left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
        )
    if isinstance(left, list):
        return isinstance(right, list) and len(left) == len(right) and all(map(same, left, right))
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)
