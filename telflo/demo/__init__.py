"""`make demo`: a server full of simulated collectors, with a history, and with something going on."""
