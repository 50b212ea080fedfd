"""The OpAMP server under load, beside opamp-go's: `make bench`."""
