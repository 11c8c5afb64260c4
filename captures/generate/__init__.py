"""Makes the sample captures of the folder above, and makes them again.

    python -m captures.generate --list          what there is
    python -m captures.generate NAME…           make these (shell patterns allowed), write capture and sidecar facts
    python -m captures.generate --check         every stored capture is what its sidecar and its recipe say

`edge/` holds recipes that scapy carries out: the same bytes every time. `labs/` holds recipes that need real TCP
stacks: network namespaces with documentation addresses, real servers and clients, a real capture program, and then
`rewrite` to the published addresses. They need root; two runs differ in sequence numbers and timing, not in what an
audit finds. A recipe is a function with `@edge(name)` or `@lab(name)` in a file of those folders: no list is edited.
"""
