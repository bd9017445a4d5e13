"""Looking inside: functions of a fitted task, which `Task` has as its methods.

Each takes a task as `inspected.Inspected` describes it; `limits.py` says what which task cannot
be asked.
"""
