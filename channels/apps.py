"""The Deploy part of the product."""

from django.apps import AppConfig


class ChannelsConfig(AppConfig):
    """Phone numbers and chat channels, their routes, and the runtime."""

    name = "channels"
    verbose_name = "Deploy"

    def ready(self) -> None:
        """Say what routes to an agent, so that no agent is archived while callers reach it."""
        from agentversions.services.agents import register_use_finder
        from channels.services.channels import uses_of_agent

        register_use_finder(uses_of_agent)
