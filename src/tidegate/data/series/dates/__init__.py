"""Dates: texts and numbers of tables, read as times."""
