"""What the end-to-end tests are made of: a server, its API, hosts, and waiting for what should happen."""
