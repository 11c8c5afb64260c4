"""The report as a page: one HTML file that needs no script and nothing from anywhere, on screens and on paper.

One file per part of the page; `markup.py` makes all text harmless, whoever chose it.
"""
