"""Getting in: first operator, sign-up, sign-in, step-up, password reset."""
