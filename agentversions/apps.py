"""The Build part of the product."""

from django.apps import AppConfig

from config.navigation import Entry, add_to_navigation


class AgentVersionsConfig(AppConfig):
    """Agents, drafts, versions, comparison, libraries."""

    name = "agentversions"
    verbose_name = "Build"

    def ready(self) -> None:
        """Add this part's pages to the navigation."""
        add_to_navigation(
            Entry("Build", "Agents", "robot", "agentversions:agent_list"),
            Entry("Build", "Tools", "tool", "agentversions:tool_list"),
            Entry("Build", "Knowledge", "books", "agentversions:knowledge_list"),
            Entry("Build", "Evaluations", "clipboard-check", "agentversions:suite_list"),
            Entry(
                "Build",
                "Approvals",
                "checks",
                "agentversions:approval_list",
                badge="agentversions:approval_badge",
                badge_events=("approval-changed", "live-changed"),
            ),
            Entry("Settings", "Git", "git-branch", "agentversions:git_page"),
            Entry("Settings", "API tokens", "key", "agentversions:token_list", "administer"),
        )
