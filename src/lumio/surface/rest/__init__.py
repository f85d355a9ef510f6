"""JSON in, JSON out: problem documents, envelopes, the OpenAPI description."""
