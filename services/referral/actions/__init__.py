"""What referral can do. `opening` turns arrivals into needs, `answering` is what agencies do, `chasing` what the
clock does, `supervising` and `keeping` what supervisors and the directory's keepers do, `disclosing` and `looking` what
is read. `following` is what an ended attempt leads to, `routing` holds rules and directory, `telling` makes the facts.

Who changes something locks, in this order: households, cases (`staying.lock`), places (`leasing.hold`), and last the
explanations that it writes. So no two works wait for each other.
"""
