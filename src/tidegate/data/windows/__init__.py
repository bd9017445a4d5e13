"""Windows: series scaled and cut into what a network reads."""
