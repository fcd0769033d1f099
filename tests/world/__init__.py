"""Tests of the World: the fold and its figures."""
