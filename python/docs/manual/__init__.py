"""Writes the pages of the manual that are made from data: functions, rulebooks, glossary."""
