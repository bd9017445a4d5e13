"""Which values of a series are not as they should be."""
