"""Where facts come from: checkouts, Go modules, a registry, a collector that runs here."""
