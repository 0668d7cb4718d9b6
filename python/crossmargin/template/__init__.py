"""Lays out the template workbook: sheets, formulas, charts, and the values they show.

Everything that is calculated is calculated by the sheet functions; this package only places their
formulas and writes down what they answered, so that a reader without the add-in sees true numbers.
"""
