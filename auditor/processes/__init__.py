"""Which program owned a connection, as hosts tell it: records of a file beside the capture, joined to its flows.

`source` reads the file, whichever format it is in: `sysmon` (network events, as JSON or CSV) or `sockets` (output of
`ss -tnpi`). `joining` puts records and flows together, by 5-tuple and time.
"""
