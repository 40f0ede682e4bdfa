"""Whether the audit of pairs finds planted faults, and only these."""
