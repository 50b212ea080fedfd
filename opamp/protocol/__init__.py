"""The OpAMP protocol as values in, values out: no sockets, no event loop, no database, no clock.

A gateway decodes a message (framing), gives it to the agent's AgentSession and sends the reply that
its Outcome holds. Rule ids in comments (C2, M4, ...) are those of docs/opamp-server.md.
"""
