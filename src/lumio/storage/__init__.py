"""Where things are kept: databases, units, journal, outbox. One commit holds a change and its event."""
