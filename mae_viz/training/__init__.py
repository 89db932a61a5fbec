"""Training: data in, a checkpoint out, on whatever machine is there.

In the order in which a run uses them: `config` (what a run is), `pack` and `data` (pictures), `start`, `fold` and
`deepen` (where the weights come from), `outer`, `scales` and `waking` (what is done to them first), `objective` (what
is minimised), `optimizer` (how a step is taken), `state` (what survives an interruption), `report` (what a run says
about itself), `machine` and `blocks` (what it runs on, and how), `loop` (all of it together).
"""
