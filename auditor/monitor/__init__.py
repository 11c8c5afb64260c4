"""A watch that runs by itself: what `monitor.yaml` says, windows, store, sinks, status, metrics, reload.

Nothing of it is imported by an audit of files.
"""
