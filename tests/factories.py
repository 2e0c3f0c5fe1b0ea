"""Makes people, agents and versions for tests, through the services that users reach."""

import itertools
from typing import Any

from agentversions.core.configuration import AgentConfiguration
from agentversions.core.reading import read_document
from agentversions.models import Agent, AgentVersion, User
from agentversions.services.agents import create_agent
from agentversions.services.drafts import replace_draft
from agentversions.services.publishing import publish
from channels.core.routes import Follow, RoutePlan, Target, single
from channels.models import Channel
from channels.services.channels import create_channel

_numbers = itertools.count(1)


def make_user(*roles: str, username: str = "", **fields: Any) -> User:
    """A person with these roles (an editor when none is named)."""
    name = username or f"person{next(_numbers)}"
    return User.objects.create_user(
        name, f"{name}@example.com", "correct horse battery", roles=list(roles) or ["editor"], **fields
    )


def make_configuration(**fields: Any) -> AgentConfiguration:
    """A publishable configuration; fields replace top-level fields."""
    document: dict[str, Any] = {
        "name": "Clinic receptionist",
        "system_prompt": "# Role\nYou answer the phone for the clinic.\n\n# Style\nShort sentences.\n",
        "welcome_message": "Hello, how can I help you?",
        "voice": {"provider": "elevenlabs", "voice": "Rachel"},
        "tools": [
            {
                "name": "transfer_to_human",
                "description": "Hand the caller to a person",
                "endpoint": "https://crm.example.com/v1/transfer",
                "headers": {"Authorization": "Bearer {{secret:CRM_TOKEN}}"},
            }
        ],
    }
    return read_document({**document, **fields})


def make_agent(actor: User | None = None, *, slug: str = "", folder: str = "", **fields: Any) -> Agent:
    """An agent with a publishable draft."""
    return create_agent(content=make_configuration(**fields), slug=slug, folder=folder, actor=actor or make_user())


def make_version(agent: Agent, actor: User | None = None, *, name: str = "A change", **fields: Any) -> AgentVersion:
    """Save a draft with these fields (if any are given) and publish it."""
    author = actor or agent.created_by
    if fields:
        content = agent.draft.load().model_copy(update={})
        document = {**content.model_dump(mode="json"), **fields}
        agent = replace_draft(agent=agent, content=read_document(document), actor=author).agent
    return publish(agent=agent, name=name, actor=author)


def make_channel(agent: Agent | None = None, *, plan: RoutePlan | None = None, **fields: Any) -> Channel:
    """A phone number that answers with an agent's draft, or with a plan; each has a number of its own."""
    actor = fields.pop("actor", None) or (agent.created_by if agent else make_user("operator"))
    plan = plan or single(Target((agent or make_agent(actor)).slug, Follow.DRAFT))
    fields.setdefault("address", f"+3319876{next(_numbers):04d}")
    return create_channel(plan=plan, actor=actor, **fields)
