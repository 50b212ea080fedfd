"""Measurements of what things cost. Never part of the tests: `make bench-pages`, `make bench-bulk`."""
