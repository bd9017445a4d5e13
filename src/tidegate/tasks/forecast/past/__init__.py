"""What past forecasts tell: scores beside baselines, and what they prove of the network."""
