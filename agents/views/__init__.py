"""The pages of collectors: the list with its bulk actions and export, one collector with its tabs, its changes."""
