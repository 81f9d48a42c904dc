"""HTML pages that need no network: colors, figures for Plotly, and templates for Jinja2.

Plotly and Jinja2 are imported when a page is written. No module here imports another package of `keras_cnn`.
"""
