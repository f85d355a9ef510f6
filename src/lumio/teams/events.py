"""What is recorded about teams."""

ACCOUNT_CREATED = "account.created"
ACCOUNT_RENAMED = "account.renamed"
OWNERSHIP_TRANSFERRED = "ownership.transferred"
INVITATION_CREATED = "invitation.created"
INVITATION_REVOKED = "invitation.revoked"
INVITATION_ACCEPTED = "invitation.accepted"
MEMBER_JOINED = "member.joined"
SUB_ACCOUNT_CREATED = "sub_account.created"

BESIDE = (MEMBER_JOINED,)
"""Recorded beside the event that the action promises."""

INVITATION = "invitation"
