"""Figures of speed: printed as tables, never asserted."""
