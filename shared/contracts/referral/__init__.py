"""What referral says, in codes, one file per noun. The type of each fact begins with the name of this package."""
