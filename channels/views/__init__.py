"""The pages of Deploy."""
