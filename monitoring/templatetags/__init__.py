"""Template tags of Monitor."""
