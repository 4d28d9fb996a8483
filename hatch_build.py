"""Let the dashboard's scripts travel inside the wheel, where `maskviz app` looks first."""

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SCRIPTS = ("app.py", "pages", ".streamlit/config.toml")


class DashboardHook(BuildHookInterface):
    """Add `maskviz/_app/` to a wheel; an editable install runs the checkout's own scripts."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict) -> None:
        if version != "editable":
            build_data["force_include"].update({path: f"maskviz/_app/{path}" for path in SCRIPTS})
