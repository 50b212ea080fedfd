"""Hostile input for the OpAMP server: seeded generators, targets that know what may come of them, and a runner.

`make test` runs a little of it, `make fuzz` a million inputs (`python -m tests.fuzz --help`).
"""
