"""Acceptance vectors: published figures that the engine must reproduce.

``python -m tests.vectors`` runs them; ``README.md`` beside the vectors gives their format. Adapters
translate the inputs of a case into calls of the public interface and nothing else; ``syntax_guard``
holds them to that.
"""
