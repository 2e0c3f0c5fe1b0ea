"""The facts a service of Monitor may refuse with. Each message is a sentence that says what to do."""

from agentversions.services.errors import FieldRefused


class ViewRefused(FieldRefused):
    """A saved view that cannot be kept as asked."""
