"""Tracers: certificates of people who do not exist, each planted at one verifier; seen elsewhere, they tell a leak."""
