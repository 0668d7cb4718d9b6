"""Benchmarks; each asserts its answer before it times it."""
