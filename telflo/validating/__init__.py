"""`telflo validate`: configurations are checked where they are written. Needs no server, no database, no settings."""
