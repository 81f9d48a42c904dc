"""Nets that do not learn, rebuilt from public reports: each with its known cause, its correction and its source."""
