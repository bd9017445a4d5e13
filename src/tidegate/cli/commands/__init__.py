"""The commands: a file each; what one needs is imported when it runs."""
