"""Teams: accounts of one's own, who is in them with which role, invitations, sub-accounts."""
