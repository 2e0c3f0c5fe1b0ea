"""Template tags of Deploy."""
