"""What comes next in a text: measuring and writing it."""
