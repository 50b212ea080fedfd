"""Simulated agents: what real supervisors and collectors do, thousands of them from one core.

The core (agent, applying, workload, plan, …) is pure: time comes in, messages go out. `fleet` puts it on sockets;
the command `simulate_agents`, the demo, benchmarks and tests use that.
"""
