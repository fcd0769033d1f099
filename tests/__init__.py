"""The tests: one folder for each room of gossiplab, plus oracles, specimens and benchmarks."""
