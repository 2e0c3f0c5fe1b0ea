"""The models of Build: agents, configurations, versions, what is live, git, libraries, people, the audit trail."""

from .agents import Agent
from .approvals import ApprovalComment, ApprovalDecision, ApprovalRequest
from .audit import AuditCheck, AuditEntry, AuditHorizon, AuditSeal
from .configurations import Configuration
from .deployments import Deployment
from .evaluation_runs import CaseResult, EvaluationRun, HumanMark, PaidAnswer
from .evaluations import EvaluationCase, EvaluationSuite, SuiteEntry, SuiteRevision
from .freezes import FreezeWindow
from .git import GitDelivery, GitFolder, GitRun, GitSource, GitVersion
from .libraries import LibraryEntry, LibraryRevision
from .people import ApiToken, User
from .presence import EditorPresence
from .releases import ReleaseOverride, ReleaseRules, RequiredSuite, RollbackReview
from .versions import AgentVersion

__all__ = [
    "Agent",
    "AgentVersion",
    "ApiToken",
    "ApprovalComment",
    "ApprovalDecision",
    "ApprovalRequest",
    "AuditCheck",
    "AuditEntry",
    "AuditHorizon",
    "AuditSeal",
    "CaseResult",
    "Configuration",
    "Deployment",
    "EditorPresence",
    "EvaluationCase",
    "EvaluationRun",
    "EvaluationSuite",
    "FreezeWindow",
    "GitDelivery",
    "GitFolder",
    "GitRun",
    "GitSource",
    "GitVersion",
    "HumanMark",
    "LibraryEntry",
    "LibraryRevision",
    "PaidAnswer",
    "ReleaseOverride",
    "ReleaseRules",
    "RequiredSuite",
    "RollbackReview",
    "SuiteEntry",
    "SuiteRevision",
    "User",
]
