"""The pages of Build."""
