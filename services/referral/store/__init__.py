"""Every SQL statement of referral: one function, one statement, typed in and out.

`needs` keeps referrals and their attempts, `agencies` the directory, `desk` answers what people look at,
`figures` counts, `recipients`, `glasses` and `matters` keep what their names say.
"""
