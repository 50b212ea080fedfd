"""``make chaos``: things are killed, stopped and cut off at random, and afterwards belief equals truth."""
