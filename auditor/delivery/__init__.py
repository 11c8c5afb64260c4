"""How events reach sinks: a bounded backlog, a thread for each sink, and a second try after a while.

The capture hands an event over and goes on; whatever a sink does, it never waits for it. For each sink holds: what was
received is what was delivered, grouped into another, lost, or is waiting.
"""
