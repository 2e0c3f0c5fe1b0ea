"""The addresses of Monitor."""

from django.urls import URLPattern, path

from monitoring.views import ab, analytics, calls

app_name = "monitoring"
urlpatterns: list[URLPattern] = [
    path("analytics/", analytics.analytics, name="analytics"),
    path("analytics/fairness/", analytics.analytics_fairness, name="analytics_fairness"),
    path("analytics/export/", analytics.analytics_export, name="analytics_export"),
    path("analytics/ab/<str:address>/", ab.ab_results, name="ab_results"),
    path("analytics/ab/<str:address>/plan/", ab.ab_plan, name="ab_plan"),
    path("calls/", calls.call_list, name="call_list"),
    path("calls/export/", calls.call_export, name="call_export"),
    path("calls/<path:sender_id>/", calls.call_detail, name="call_detail"),
]
