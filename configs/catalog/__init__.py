"""What is known about the components of collectors, by version: catalogs that are shipped, and how they are built."""

from configs.catalog.shelf import load, nearest, versions

__all__ = ["load", "nearest", "versions"]
