"""Runs on disk: writing, reading, seeking and verifying them. Only `verify` may import the engine."""
