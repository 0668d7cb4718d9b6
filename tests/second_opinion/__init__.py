"""A second opinion on portfolio margin: slow, plain and written from the rulebooks alone.

Nothing here imports the package under test or resembles it; where both agree, two readings agree.
"""
