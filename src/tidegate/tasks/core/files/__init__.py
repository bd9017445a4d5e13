"""Files: X and y out of them, and answers into them."""
