"""GraphQL: limits, errors, one address."""
