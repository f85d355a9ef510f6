"""What developers ship: extensions, their versions, and the bundles those are made of."""
