"""Are traces of generated music found where they were planted?"""
