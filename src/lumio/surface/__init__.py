"""The web: how requests come in and answers go out, with no knowledge of any domain."""
