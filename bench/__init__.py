"""Figures that can be compared: ours against the bare server, on the same machine in the same run."""
