"""How a recurrent net gets from a window to the steps that follow: a file for each way."""
