"""The version, for the commands and the OpenAPI document."""

VERSION = "0.1.0"
