"""The report of a suite: its cells in, a document out; what the cells are made from is not known here."""
