"""The first page, the numbers behind it, and the counts in the navigation."""
