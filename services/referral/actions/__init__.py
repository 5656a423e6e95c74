"""What referral can do. `opening` turns arrivals into needs, `answering` is what agencies do, `chasing` what the
clock does, `keeping` what the directory's keepers do. `routing` holds rules and directory, `telling` makes the facts.
"""
