"""What every task shares: read `task.py` first."""
