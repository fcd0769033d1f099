"""Second implementations, written straight from the papers, that the protocols are held against."""
