"""What goes into the sandbox: the worker, its confinement, the shell that runs a notebook."""
