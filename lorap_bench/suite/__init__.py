"""Benchmark tables: a product of axes as cells that are each trained once, kept, and put into one tidy table."""
