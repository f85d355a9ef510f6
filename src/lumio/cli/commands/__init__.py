"""One module per noun of the command line; each command asks the server and shows its answer."""
