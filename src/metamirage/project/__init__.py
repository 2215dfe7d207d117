"""What the workflow needs of the package beside its results: which code runs, what it says."""
