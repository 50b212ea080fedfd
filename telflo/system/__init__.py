"""How the installation itself is doing: its processes, what they count, what is wrong and what to do."""
