"""Operators: who runs the installation, and the admin roles they hold."""
