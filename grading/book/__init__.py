"""The course's records: folder, gradebook, journal, rows of a run."""
