"""Memory: how long a network remembers, and how far its gradients reach."""
