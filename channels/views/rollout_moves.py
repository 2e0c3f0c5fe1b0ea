"""Moving a rollout by hand: one dialog for every move, which says what happens to callers and asks why."""

from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from agentversions.core.roles import Permission
from agentversions.services.errors import ReasonMissing, Refused
from agentversions.views.access import actor_of, page
from channels.core.rollout_states import By, Move
from channels.core.rollout_words import what
from channels.core.shares import percent
from channels.forms.rollout_moves import RolloutMoveForm
from channels.models import Rollout
from channels.services.errors import RolloutMoved
from channels.services.rollout_list import show_rollout
from channels.services.rollouts import EXPLAINED, move_rollout
from config.htmx import done, fragment_or_page

from .rollouts import rollout_or_404


@dataclass(frozen=True)
class Asked:
    """What a dialog says: its question, what happens, its button, and whether that looks dangerous."""

    question: str
    happens: str
    button: str
    is_danger: bool = False


@page(Permission.ROUTE, "GET", "POST")
def rollout_move_dialog(request: HttpRequest, number: int, word: str) -> HttpResponse:
    """Asks before a move, and makes it from the state that the dialog showed."""
    rollout, move = rollout_or_404(number), _move_or_404(word)
    form = RolloutMoveForm(request.POST or None)
    refusal = ""
    if request.method == "POST" and form.is_valid():
        try:
            row = move_rollout(
                rollout=rollout,
                move=move,
                by=By.PERSON,
                reason=form.cleaned_data["reason"],
                seen_moves=form.cleaned_data["seen"],
                actor=actor_of(request),
            )
        except ReasonMissing as error:
            form.add_error("reason", str(error))
        except Refused as error:
            refusal = str(error)
            if isinstance(error, RolloutMoved):
                rollout = rollout_or_404(number)
        else:
            to = reverse("channels:rollout_detail", args=[number])
            return done(request, f"{what(move, share=row.share)}.", to=to, event="rollout-changed")
    shown = show_rollout(rollout)
    context = {
        "rollout": rollout,
        "move": move,
        "asked": _asked(rollout, move) if move in shown.buttons else None,
        "needs_reason": move in EXPLAINED,
        "seen": shown.seen,
        "form": form,
        "refusal": refusal,
        "title": f"Rollout {rollout.pk}: {word.replace('_', ' ')}",
    }
    return fragment_or_page(
        request, "channels/fragments/rollout_move_dialog.html", context, status=422 if form.is_bound else 200
    )


def _move_or_404(word: str) -> Move:
    try:
        return Move(word)
    except ValueError:
        raise Http404("There is no such move of a rollout.") from None


def _asked(rollout: Rollout, move: Move) -> Asked:
    value, version, baseline = rollout.value, rollout.version, rollout.baseline
    shares = [f"{percent(step.share)} %" for step in value.plan.steps]
    stays = f"{shares[value.step]} of callers keep getting {version}."
    if move == Move.START:
        return Asked("Start it now?", f"{shares[0]} of callers get {version}, the others {baseline}.", "Start now")
    if move == Move.ADVANCE:
        nearest = shares[value.step + 1]
        words = f"{nearest} of callers get {version} from now on, before the judge has ruled out that it is worse."
        return Asked(f"Advance to {nearest} now?", words, f"Advance to {nearest}")
    if move == Move.PAUSE:
        words = f"{stays} The judge neither advances nor rolls back until you resume."
        return Asked("Pause the rollout?", words, "Pause")
    if move == Move.RESUME:
        words = (
            f"{shares[value.step]} of callers get {version}, and the judge decides again. The longest time counts anew."
        )
        return Asked("Resume the rollout?", words, "Resume")
    if move == Move.HOLD:
        words = f"{stays} The judge no longer advances, but still rolls back when {version} does harm."
        return Asked("Hold it at this step?", words, "Hold")
    if move == Move.PROMOTE:
        words = f"Every caller on Live gets {version} from the next call on. {baseline} stays in the list of versions."
        return Asked(f"Promote {version} to 100 %?", words, f"Promote {version}")
    words = f"Every caller gets {baseline} from the next call on. {baseline} is and stays live."
    if move == Move.ROLL_BACK:
        return Asked(f"Roll {version} back now?", words, "Roll back now", is_danger=True)
    if value.state.splits_calls:
        return Asked(
            f"Cancel the rollout of {version}?",
            f"{words} It ends without a verdict.",
            "Cancel the rollout",
            is_danger=True,
        )
    return Asked(
        f"Cancel the rollout of {version}?",
        f"No caller gets {version}. It ends without a verdict.",
        "Cancel the rollout",
    )
