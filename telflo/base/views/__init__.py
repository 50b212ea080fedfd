"""Pages of people and the record: sign-in, profile, people, activity, settings."""
