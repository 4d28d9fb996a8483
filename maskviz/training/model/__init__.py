"""The network to tune: loaded, hooked, adapted, saved."""
