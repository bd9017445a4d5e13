"""Tables: files with rows and columns, read, checked and written."""
