"""The addresses of Monitor."""

from django.urls import URLPattern, path

from monitoring.views import analytics, calls, news

app_name = "monitoring"
urlpatterns: list[URLPattern] = [
    path("analytics/", analytics.analytics, name="analytics"),
    path("calls/", calls.call_list, name="call_list"),
    path("calls/export/", calls.call_export, name="call_export"),
    path("calls/news/", news.call_news, name="call_news"),
    path("calls/<path:sender_id>/", calls.call_detail, name="call_detail"),
]
