"""People, developer accounts, and who belongs to which with what role."""
