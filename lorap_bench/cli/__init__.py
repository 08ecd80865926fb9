"""The command line: one file a verb; parse, wire, print."""
