"""Training: data in, a checkpoint out, on whatever machine is there.

In the order in which a run uses them: `config` (what a run is), `pack` and `data` (pictures), `start` and `fold` (where
the weights come from), `objective` (what is minimised), `optimizer` (how a step is taken), `state` (what survives an
interruption), `report` (what a run says about itself), `loop` (all of it together).
"""
