"""Reading the audit log. Writing it is the journal's, in the unit of each change."""
