"""PURE. How a catalog is made of what upstream publishes: names, schemas of settings, defaults."""
