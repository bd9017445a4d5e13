"""Series: values on one clock, scaled and cut into windows."""
