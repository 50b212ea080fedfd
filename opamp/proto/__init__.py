"""OpAMP's messages: .proto files and the Python code that `make proto` generates from them."""
