"""The hot path: answers `POST /api/v1/resolve` before Django, from memory, also while PostgreSQL is away."""
