"""Quick deploy: pure texts, the script run for real in a sandbox, and the deployments behind it."""
