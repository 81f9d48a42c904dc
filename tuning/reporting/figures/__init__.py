"""The figures of report.html, each a function from the trials to a `Figure`, or to None without what it shows."""
