"""The checks: one file each, found by looking at this folder.

A check sees the whole classified flow table at once and answers with the rows that it objects to. It
does no I/O and keeps no state. Its module's docstring is its documentation page.
"""
