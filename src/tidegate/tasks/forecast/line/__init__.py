"""What costs nothing: naive forecasts, smoothing, a line over the lookback, and the net on it."""
