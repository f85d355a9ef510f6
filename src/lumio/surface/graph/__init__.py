"""GraphQL: one question of a client to the same actions that REST runs; decides nothing of its own."""
