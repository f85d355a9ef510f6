"""The request path at its edges: carriers, origins, headers, the gate."""
