"""Mail going out: SMTP, or files while no server is set."""
