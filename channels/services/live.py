"""Moving an agent's live version from its dialog: only from the state that the operator looked at."""

from django.db import transaction

from agentversions.models import AgentVersion, Deployment, User
from agentversions.services.deployments import is_rollback, live_version, make_live, roll_back
from agentversions.services.draft_pointer import lock_agent

from .errors import LiveMoved


@transaction.atomic
def move_live(
    *, version: AgentVersion, seen: int, reason: str = "", override_reason: str = "", actor: User
) -> Deployment:
    """Make a version live; going back needs a reason. `seen` is the number that was live when the dialog opened (0:
    none).

    `override_reason` passes over what it lacks, if the actor may. Raises LiveMoved when another one became live in
    between, ReasonMissing, AgentArchived, RoutesFrozen, NotReady, NotAllowed.
    """
    agent = lock_agent(version.agent)
    live = live_version(agent)
    if seen != (live.number if live else 0):
        raise LiveMoved(f"Somebody made {live} live meanwhile. Look at the difference again.")
    if is_rollback(version, live):
        return roll_back(agent=agent, to=version, reason=reason, override_reason=override_reason, actor=actor)
    return make_live(version=version, reason=reason, override_reason=override_reason, actor=actor)
