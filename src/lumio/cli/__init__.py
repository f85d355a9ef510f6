"""The developer's command line `lumio`: a REST client that imports no server code."""
