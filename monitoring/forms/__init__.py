"""The forms of Monitor."""
