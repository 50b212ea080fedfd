"""Tests of the pure protocol core: no database, no event loop, no sockets."""
