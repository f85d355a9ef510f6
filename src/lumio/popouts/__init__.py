"""Popout tokens: a few chosen rights for an address that is opened without signing in, such as a stream overlay."""
