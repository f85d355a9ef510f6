"""The version, for both command lines and the OpenAPI document.

Promise: it is the one that the package was installed under (a test compares them).
"""

VERSION = "0.1.0"
