"""Tests of the engine: clock, kernel, network, nodes, lab."""
