"""Detection: what verifiers ask day by day, and alarms where that is not how people use certificates."""
