"""What referral's things are, which moves are legal, and the named refusals. Pure: no I/O, no clock.

`referrals` holds the need, `assignments` one attempt at it, `needs` both together with the rules that bind them,
`agencies` the directory, `routing` what a decision is made of.
"""
