"""Training: the loop and what it needs: measuring, optimizers, schedules, checkpoints."""
