"""The worksheet functions of Excel, in the flat module in which xlwings looks for them."""

from crossmargin.hosts import excel

excel.define(globals())
