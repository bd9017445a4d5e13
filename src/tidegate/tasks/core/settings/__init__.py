"""Settings: everything a task can be told, declared once and checked in one place."""
