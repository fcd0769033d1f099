"""The running lab: clock, kernel, network, nodes. Imports trio; knows no screen and no file."""
