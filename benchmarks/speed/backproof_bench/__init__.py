"""How fast `backproof_impl` is, layer by layer, beside PyTorch, JAX and SciPy: what `backproof bench` measures.

    the command                    processes, one for each library and setting
    round 1:  ours?  ------------> ours     n calls, their processor time, page faults, context switches
              torch? ------------> torch
              jax?   ------------> jax
              peak?  ------------> ours     multiply-adds in registers: what the processor can do at this moment
    round 2:  ours? ...            never two at once; ratios are those of one round, and their median is told

Where to read: `layers` (what is measured), `exact` (sums without rounding, for the errors), `sides` (the same layer in
each library), `worker` and `process` (a library in a process of its own), `lockstep` (rounds), `measure`, `training`,
`results` (the file), then its views: `rows`, `goals`, `page`, `plots`, `terminal`.

Nothing here knows the verifier or the specification.
"""
