"""The API under /api/v1/: the same services as the pages, by the same rules. Other apps add their routers to `api`."""

from . import agents, configurations, documents, drafts, versions
from .application import Api

api = Api()
api.add("", agents.router, tag="Agents")
api.add("", drafts.router, tag="Drafts")
api.add("", versions.router, tag="Versions")
api.add("", configurations.router, tag="Configurations")
api.add("", documents.router_about(api), tag="About")
