"""Settings, the data files that ship with the project, and the one place that joins concrete parts."""
