"""Pages: shell, forms, tokens against forgery, static files."""
