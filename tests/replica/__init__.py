"""The library of replicated data types."""
