"""Figures that can be compared: ours against bare servers and against peers, on one machine in one run."""
