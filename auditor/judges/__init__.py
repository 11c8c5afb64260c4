"""Judges: one file for each kind of statement that no finding can speak for, since it tells how things go when all is
well.

What to add: a file with a `Judge` whose id stands in `checked_by` of a pack's statement.
"""
