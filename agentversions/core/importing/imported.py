"""What reading a document from outside gives."""

from dataclasses import dataclass

from agentversions.core.configuration import AgentConfiguration


@dataclass(frozen=True)
class Imported:
    """A configuration and what to know about it before it is used.

    `format` is what was recognised, in words. `unmapped` are the paths of what the schema does not know (kept under
    `extensions`), `secrets` the names that replaced keys, `warnings` sentences.
    """

    configuration: AgentConfiguration
    format: str
    unmapped: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
