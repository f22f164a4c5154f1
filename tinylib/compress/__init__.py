"""Networks made smaller: pruning, quantization, weight sharing, distillation, and search for small ones.

    >>> data = digits()
    >>> net = baseline.mlp(data.train)                        # trained in a moment
    >>> masks = prune.magnitude(net, 0.8)
    >>> tuned = prune.fine_tune(net, masks, data.train)       # the zeros stay
    >>> small = ptq.ptq(net, data.train, weight_bits=4)
    >>> baseline.accuracy(small.net, data.test), small.bytes

`prune obd channels sparse` take weights away; `quantize ptq qat kmeans smooth gptq mixed_precision` store
them in fewer bits; `distill` teaches a small network; `search darts pareto` look for one. Everything is
measured on trained networks; `python -m tinylib.compress search` runs a search from the shell.
"""
