"""Evidence that can be handed on: packets of findings, bundles, and the story of one finding.

`choice` finds the findings meant, `selection` the flows and frames that show them, `extraction` has the engine copy
them, `anonymity` says which addresses stay. `story` tells a finding, with the words of `dissection`.
"""
