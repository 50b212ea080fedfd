"""Measurements of what things cost, beside a reference server where there is one. Never part of the tests."""
