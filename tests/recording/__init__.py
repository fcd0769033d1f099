"""Tests of recordings: writing, reading, seeking, verifying."""
