"""One's own data: a CSV file of sensor readings in, a network on a microcontroller and a report out.

    >>> table = tables.read("motor.csv")                     # columns, and what was odd about them
    >>> roles = roles_of(table, label="state", group="machine")
    >>> limits = limits_of("cortex-m0plus")                  # flash and RAM of its usual part
    >>> found = run.train(table, roles, "cortex-m0plus", limits)    # or run.watch_over, without labels
    >>> pages.write(found, "out")

tables, roles, cleaning, windows    from text to windows of even rate in three parts that share no machine
inputs, inputs_c                    readings and spectra in integers, in Python and in C, equal in every bit
candidates, training, programs      small networks, how they learn, and what is deployed of them
checking, choose                    what a program takes, which one is taken, and why not the others
anomaly, run                        a score where nothing is labelled; all steps in a row
figures, report_page, pages         one page of HTML that says how good it is, and how far to trust that
"""
