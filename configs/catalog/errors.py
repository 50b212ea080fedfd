"""PURE. What can go wrong with catalogs."""


class CatalogError(Exception):
    """A catalog cannot be read or built; the text says why and what to do, for people."""
