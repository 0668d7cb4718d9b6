"""The worksheet functions of Excel, in the flat module in which xlwings looks for them.

A module of the package, so that Python finds it without a folder on its path. Importing it imports
xlwings.
"""

from crossmargin.hosts import excel

excel.define(globals())
