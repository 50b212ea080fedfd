"""How Telflo runs: the web and OpAMP server, the worker, the clock, or all in one process."""
