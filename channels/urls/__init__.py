"""The addresses of Deploy, one module per area."""

from . import batches, channels, flags, importing, live, rollouts, routes, schedule, serving

app_name = "channels"
urlpatterns = [
    *importing.urlpatterns,
    *batches.urlpatterns,
    *schedule.urlpatterns,
    *live.urlpatterns,
    *rollouts.urlpatterns,
    *serving.urlpatterns,
    *flags.urlpatterns,
    *channels.urlpatterns,
    *routes.urlpatterns,
]
