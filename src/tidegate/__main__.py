"""`python -m tidegate`: the command line, for where its script is not on the path."""

from tidegate.cli import main

if __name__ == "__main__":
    main()
