"""End-to-end tests: real supervisors and collectors against a running Telflo."""
