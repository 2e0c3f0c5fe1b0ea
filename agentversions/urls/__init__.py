"""The addresses of Build, one module per area."""

from . import agents, approvals, compare, editor, evaluations, git, importing, libraries, profile, tokens, versions

app_name = "agentversions"
urlpatterns = [
    *agents.urlpatterns,
    *importing.urlpatterns,
    *editor.urlpatterns,
    *versions.urlpatterns,
    *compare.urlpatterns,
    *libraries.urlpatterns,
    *evaluations.urlpatterns,
    *approvals.urlpatterns,
    *profile.urlpatterns,
    *tokens.urlpatterns,
    *git.urlpatterns,
]
