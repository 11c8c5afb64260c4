"""Live: the pipeline of an audit over what passes an interface, tick by tick.

    watch = Watch(["eth1"], packs, site, publish=print)
    watch.run()  # until `stop()`, from a signal handler or another thread
    watch.report()  # what `audit` would say of all that passed

`publish` and `on_tick` are called from the thread that judges and have to return at once. Whoever writes to slow places
puts what comes into a bounded queue of his own and counts what finds no room. Capture goes on in a thread of the
engine, whatever they do.
"""

from auditor.watch.options import Options
from auditor.watch.tick import Event, Tick
from auditor.watch.watch import Watch

__all__ = ["Event", "Options", "Tick", "Watch"]
