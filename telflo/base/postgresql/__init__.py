"""Django's engine for PostgreSQL on connections that give up a database that went silent (base.silence)."""
