"""Sandboxed workers: one, a pool, a cluster, a shard of a batch queue."""
