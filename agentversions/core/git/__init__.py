"""Agents in a git repository: what its objects say, which folders changed, and what that comes to. Plain Python."""
