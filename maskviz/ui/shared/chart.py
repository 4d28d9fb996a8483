"""How every chart of the dashboard is shown."""

TOOLBAR = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d"]}
