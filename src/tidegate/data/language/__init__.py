"""One long text: its symbols in order, read in several places at once."""
