"""The forms of Deploy."""
