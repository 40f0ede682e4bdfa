"""Whether Ray Data is as good an engine of batches as the tasks of Ray are."""
