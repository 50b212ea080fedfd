"""What benchmarks make of their numbers."""
