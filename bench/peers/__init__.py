"""Peers: other people's programs that check keys, fetched by name when they are measured and never kept here."""
