"""Whether two records are of one person: how names are read, fields compared and agreement weighed. It decides nothing.

`names` reads names, `fields` compares field by field, `blocks` says who is compared with whom at all, `scoring` weighs.
"""
