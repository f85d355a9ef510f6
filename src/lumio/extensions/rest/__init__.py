"""`/developer/v1` for programs, and the same under `/api` for the pages."""
