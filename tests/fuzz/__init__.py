"""Seeded fuzzing: arbitrary cells for every registered function."""
