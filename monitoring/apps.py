"""The Monitor part of the product."""

from django.apps import AppConfig

from config.navigation import Entry, add_to_navigation


class MonitoringConfig(AppConfig):
    """Calls, and figures by version."""

    name = "monitoring"
    verbose_name = "Monitor"

    def ready(self) -> None:
        """Add this part's pages to the navigation, and its chapter to the demo."""
        from agentversions.demo.loading import register_chapter
        from monitoring.demo import load_calls

        register_chapter(load_calls)
        add_to_navigation(
            Entry("Monitor", "Calls", "phone-incoming", "monitoring:call_list"),
            Entry("Monitor", "Analytics", "chart-line", "monitoring:analytics"),
            Entry("Monitor", "Audit", "history", "monitoring:audit_list"),
        )
