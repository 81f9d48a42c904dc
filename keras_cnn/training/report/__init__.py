"""report.html of a run: what it learned, how long it took, and where its model is wrong on the test split."""
