"""The models of Build: agents, configurations, versions, what is live, git, libraries, people, the audit trail."""

from .agents import Agent
from .audit import AuditCheck, AuditEntry, AuditHorizon, AuditSeal
from .configurations import Configuration
from .deployments import Deployment
from .freezes import FreezeWindow
from .git import GitDelivery, GitFolder, GitRun, GitSource, GitVersion
from .libraries import LibraryEntry, LibraryRevision
from .people import ApiToken, User
from .presence import EditorPresence
from .versions import AgentVersion

__all__ = [
    "Agent",
    "AgentVersion",
    "ApiToken",
    "AuditCheck",
    "AuditEntry",
    "AuditHorizon",
    "AuditSeal",
    "Configuration",
    "Deployment",
    "EditorPresence",
    "FreezeWindow",
    "GitDelivery",
    "GitFolder",
    "GitRun",
    "GitSource",
    "GitVersion",
    "LibraryEntry",
    "LibraryRevision",
    "User",
]
