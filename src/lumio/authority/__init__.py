"""Promise R and nothing else: is this subject still good? (spec: revocation)."""
