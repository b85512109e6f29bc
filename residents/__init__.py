"""The link to the resident register: sealed codes, records loaded from files, and notices of change applied once."""
