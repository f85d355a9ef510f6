"""Everything that needs a key or a random number: the only package that imports cryptographic libraries."""
