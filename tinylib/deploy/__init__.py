"""Networks on the device: exported as C99, compiled, run, and compared with Python bit by bit.

    >>> made = c99.export(net, Fixed(QFormat(16, 16)), "xor")    # header, source, test, Makefile
    >>> made.write("build")
    >>> host.tested(made)                                        # own test, all warnings, sanitizers
    >>> host.Library(made).run(codes)                            # through ctypes, many samples in a call
    >>> measure(net, "cortex-m0plus", ops=Fixed(QFormat(16, 16)))     # on an emulated core: sizes, equality

`c99` is the driver, `c99_train` writes networks that learn on the device; `emit` holds the C of every part of
`nets`, of the operations of a Q format and of its activations. `toolchain` and `emulator` are the road to the
core, `measure` walks all of it.
"""
