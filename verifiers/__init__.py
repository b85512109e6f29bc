"""Relying parties: their registration, their credentials, and whether they may ask."""
