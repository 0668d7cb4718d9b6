"""A second method: margin, liquidation prices and orders in exact fractions, from the rules.

Nothing here imports `crossmargin`. Tables, equity and prices are sums of fractions, so a difference
from the core is never this side's rounding.
"""
