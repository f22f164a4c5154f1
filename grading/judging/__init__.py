"""Transplant, judge, verdict: what the trusted parent does with answers."""
