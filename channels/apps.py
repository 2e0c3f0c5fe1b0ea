"""The Deploy part of the product."""

from django.apps import AppConfig

from config.navigation import Entry, add_to_navigation


class ChannelsConfig(AppConfig):
    """Phone numbers and chat channels, their routes, and the runtime."""

    name = "channels"
    verbose_name = "Deploy"

    def ready(self) -> None:
        """Add this part's pages to the navigation, and say what routes to an agent before it is archived."""
        from agentversions.demo.loading import register_chapter
        from agentversions.services.agents import register_use_finder
        from agentversions.services.deployments import register_follower
        from channels.demo import load_channels
        from channels.demo.flags import load_flags
        from channels.services.channels import uses_of_agent
        from channels.services.rollouts import cancel_overtaken, rollout_of_agent

        add_to_navigation(
            Entry("Deploy", "Channels", "phone", "channels:channel_list"),
            Entry("Deploy", "Fleet", "versions", "channels:fleet_board"),
            Entry(
                "Deploy",
                "Rollouts",
                "timeline",
                "channels:rollout_list",
                badge="channels:rollout_badge",
                badge_events=("rollout-changed", "live-changed"),
            ),
            Entry("Deploy", "Schedule", "calendar-time", "channels:schedule_list"),
            Entry("Deploy", "Flags", "flag", "channels:flag_list"),
        )
        register_use_finder(uses_of_agent)
        register_use_finder(rollout_of_agent)
        register_follower(cancel_overtaken)
        register_chapter(load_channels)
        register_chapter(load_flags)
