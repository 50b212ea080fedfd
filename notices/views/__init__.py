"""Pages of the notifications: Admins alone."""
