"""What Telflo costs, measured beside a reference server."""
