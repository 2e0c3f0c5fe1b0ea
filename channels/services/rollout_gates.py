"""What stands between a rollout and more callers: freeze windows, and the deployment that promoting makes."""

from agentversions.models import Deployment, User
from agentversions.services import deployments
from agentversions.services.errors import RoutesFrozen
from agentversions.services.freezes import in_words, open_freeze, refuse_frozen
from channels.core.rollout_states import By, Move
from channels.models import Rollout


def refuse_frozen_move(*, move: Move, by: By, reason: str, actor: User) -> None:
    """Raise RoutesFrozen while a freeze window is open: for the judge always, for others unless an admin says why."""
    if by != By.JUDGE:
        refuse_frozen(reason=reason, actor=actor)
        return
    freeze = open_freeze()
    if freeze is not None:
        what = "promote" if move == Move.PROMOTE else "advance"
        raise RoutesFrozen(f"{in_words(freeze)} The judge would {what} now; it tries again when the freeze is over.")


def promote(rollout: Rollout, *, by: By, reason: str, actor: User | None) -> Deployment:
    """The version becomes live; when the judge says so, on behalf of whoever started the rollout, and it says that.

    Raises AgentArchived, RoutesFrozen.
    """
    words = f"The judge promoted it after rollout {rollout.pk}. {reason}".strip() if by == By.JUDGE else reason
    person = actor or rollout.created_by
    return deployments.promote(version=rollout.version, reason=words, actor=person)
