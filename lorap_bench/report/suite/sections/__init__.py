"""The sections of a suite's report, one a file, each made from the suite's material alone."""
