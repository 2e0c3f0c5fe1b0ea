"""Addresses: evaluation suites, their cases and runs, and trying an agent."""

from django.urls import URLPattern, path

from agentversions.views import evaluation_cases, evaluation_runs, evaluations, trying

urlpatterns: list[URLPattern] = [
    path("evaluations/", evaluations.suite_list, name="suite_list"),
    path("evaluations/new/", evaluations.suite_create, name="suite_create"),
    path("evaluations/runs/<int:number>/", evaluation_runs.run_detail, name="run_detail"),
    path("evaluations/runs/<int:number>/progress/", evaluation_runs.run_progress, name="run_progress"),
    path("evaluations/runs/<int:number>/cancel/", evaluation_runs.run_cancel, name="run_cancel"),
    path("evaluations/runs/<int:number>/compare/", evaluation_runs.run_compare_choice, name="run_compare_choice"),
    path("evaluations/runs/<int:base>...<int:head>/", evaluation_runs.run_compare, name="run_compare"),
    path("evaluations/runs/<int:number>/results/<int:position>/", evaluation_runs.run_result, name="run_result"),
    path("evaluations/runs/<int:number>/results/<int:position>/mark/", evaluation_runs.run_mark, name="run_mark"),
    path("evaluations/<slug:slug>/", evaluations.suite_detail, name="suite_detail"),
    path("evaluations/<slug:slug>/edit/", evaluations.suite_edit, name="suite_edit"),
    path("evaluations/<slug:slug>/archive/", evaluations.suite_archive, name="suite_archive"),
    path("evaluations/<slug:slug>/import/", evaluations.suite_import, name="suite_import"),
    path("evaluations/<slug:slug>/export/<str:form>/", evaluations.suite_export, name="suite_export"),
    path("evaluations/<slug:slug>/run/", evaluation_runs.run_start, name="run_start"),
    path("evaluations/<slug:slug>/cases/new/", evaluation_cases.case_create, name="case_create"),
    path("evaluations/<slug:slug>/cases/edit/", evaluation_cases.case_edit, name="case_edit"),
    path("evaluations/<slug:slug>/cases/remove/", evaluation_cases.case_remove, name="case_remove"),
    path("agents/<slug:slug>/try/", trying.try_agent, name="try_agent"),
    path("agents/<slug:slug>/try/save/", trying.try_save, name="try_save"),
]
