"""Doctor: what is wrong with a trained network, what it costs, what to change."""
