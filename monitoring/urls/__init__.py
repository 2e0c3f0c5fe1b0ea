"""The addresses of Monitor."""

from django.urls import URLPattern, path

from monitoring.views import ab, analytics, audit, call_configuration, calls, cases, facts, news, rollouts, saved_views

app_name = "monitoring"
urlpatterns: list[URLPattern] = [
    path("analytics/", analytics.analytics, name="analytics"),
    path("analytics/fairness/", analytics.analytics_fairness, name="analytics_fairness"),
    path("analytics/export/", analytics.analytics_export, name="analytics_export"),
    path("analytics/ab/<str:address>/", ab.ab_results, name="ab_results"),
    path("analytics/ab/<str:address>/plan/", ab.ab_plan, name="ab_plan"),
    path("audit/", audit.audit_list, name="audit_list"),
    path("audit/export/<slug:shape>/", audit.audit_export, name="audit_export"),
    path("audit/<int:number>/", audit.audit_detail, name="audit_detail"),
    path("calls/", calls.call_list, name="call_list"),
    path("calls/export/", calls.call_export, name="call_export"),
    path("calls/columns/", saved_views.call_columns, name="call_columns"),
    path("calls/views/new/", saved_views.view_save_dialog, name="view_save_dialog"),
    path("calls/views/<int:number>/", saved_views.view_change_dialog, name="view_change_dialog"),
    path("calls/views/<int:number>/delete/", saved_views.view_delete_dialog, name="view_delete_dialog"),
    path("calls/case/", cases.call_case, name="call_case"),
    path("calls/news/", news.call_news, name="call_news"),
    path("calls/of-channels/", facts.channel_weeks, name="channel_weeks"),
    path("calls/of-channels/<str:address>/", facts.channel_week, name="channel_week"),
    path("rollouts/plan/", rollouts.rollout_plan, name="rollout_plan"),
    path("rollouts/<int:number>/verdict/", rollouts.rollout_verdict, name="rollout_verdict"),
    path("rollouts/<int:number>/verdict/export/", rollouts.rollout_verdict_export, name="rollout_verdict_export"),
    path("agents/<slug:slug>/calls/", facts.agent_week, name="agent_week"),
    path("agents/<slug:slug>/calls/live/", facts.call_tail, name="call_tail"),
    path("agents/<slug:slug>/versions/calls/", facts.version_weeks, name="version_weeks"),
    path("calls/configuration/<path:sender_id>/", call_configuration.call_configuration, name="call_configuration"),
    path("calls/<path:sender_id>/", calls.call_detail, name="call_detail"),
]
