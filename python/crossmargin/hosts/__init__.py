"""The programs in which the sheet functions run: Excel and LibreOffice."""
