"""The API under /api/v1/: the same services as the pages, by the same rules. Other apps add their routers to `api`."""

from agentversions.models import LibraryEntry

from . import (
    agents,
    approvals,
    configurations,
    documents,
    drafts,
    evaluation_checks,
    evaluation_runs,
    evaluations,
    exchange,
    git,
    histories,
    libraries,
    rollback_reviews,
    versions,
)
from .application import Api

api = Api()
api.add("", agents.router, tag="Agents")
api.add("", drafts.router, tag="Drafts")
api.add("", libraries.picks, tag="Drafts")
api.add("", versions.router, tag="Versions")
api.add("", histories.router, tag="Histories")
api.add("", exchange.router, tag="Import and export")
api.add("", libraries.router_of(LibraryEntry.Kind.TOOL, "tools", "library tools"), tag="Tools")
api.add("", libraries.router_of(LibraryEntry.Kind.KNOWLEDGE_BASE, "knowledge", "knowledge bases"), tag="Knowledge")
api.add("", git.router, tag="Git")
api.add("", evaluations.router, tag="Evaluations")
api.add("", evaluation_runs.router, tag="Evaluations")
api.add("", evaluation_checks.router, tag="Evaluations")
api.add("", approvals.router, tag="Approvals")
api.add("", rollback_reviews.router, tag="Approvals")
api.add("", configurations.router, tag="Configurations")
api.add("", documents.router_about(api), tag="About")
