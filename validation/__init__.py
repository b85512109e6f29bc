"""Validation for operators that are not approved: asked by them, allowed by the person, answered with a receipt."""
