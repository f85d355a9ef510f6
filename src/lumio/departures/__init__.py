"""Departures: what somebody who leaves takes along, and what ends with them."""
