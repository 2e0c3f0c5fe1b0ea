"""The forms of approvals: asking, deciding, commenting, overriding, reviewing, and an agent's rules."""

from django import forms

from agentversions.core.release import MOST_APPROVALS, Verdict

MOST_TEXT = 10_000


class AskForm(forms.Form):
    """Why callers should hear it, and whether it goes live with the last approval."""

    reason = forms.CharField(max_length=MOST_TEXT, required=False)
    goes_live = forms.BooleanField(required=False)


class DecisionForm(forms.Form):
    """What an approver says; `digest` and `seen` are what they looked at (0: nothing was live)."""

    verdict = forms.ChoiceField(choices=[(each.value, each.value) for each in Verdict])
    note = forms.CharField(max_length=MOST_TEXT, required=False)
    digest = forms.CharField(max_length=64)
    seen = forms.IntegerField(min_value=0)


class CommentForm(forms.Form):
    """A remark, on all of it, a field, or a line of the field's text."""

    path = forms.CharField(max_length=500, required=False)
    line = forms.IntegerField(
        min_value=1, required=False, error_messages={"invalid": "Write a line number such as 3, or leave it empty."}
    )
    text = forms.CharField(max_length=MOST_TEXT, error_messages={"required": "Write what you have to say."})


class ReasonForm(forms.Form):
    """Why: of an override, of taking a request back, of a review."""

    reason = forms.CharField(max_length=MOST_TEXT, required=False)


class RulesForm(forms.Form):
    """What an agent asks of its versions; `tolerance` is in points of a hundred."""

    approvals = forms.TypedChoiceField(
        coerce=int, choices=[(number, str(number)) for number in range(MOST_APPROVALS + 1)]
    )
    tolerance = forms.FloatField(
        min_value=0,
        max_value=100,
        error_messages={
            "invalid": "Write a number of points such as 2 or 0.5.",
            "required": "Write how many points may be lost; 0 for none.",
        },
    )
    suites = forms.Field(required=False, widget=forms.SelectMultiple)
