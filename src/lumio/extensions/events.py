"""What is recorded about extensions and their versions."""

CREATED = "extension.created"
UPDATED = "extension.updated"
DELETED = "extension.deleted"
DEPLOYED = "extension.deployed"
PUBLISHED = "extension.published"
VERSION_DELETED = "extension.version_deleted"

EXTENSION = "extension"
VERSION = "extension_version"
