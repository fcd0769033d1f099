"""Tests of the command line, within this process and as a process of its own."""
