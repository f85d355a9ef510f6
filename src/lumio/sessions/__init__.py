"""Sessions: signed-in devices. Page sessions by cookie, access tokens with refresh for programs."""
