"""Pages for people: feedback, class report, preview."""
