"""Facts that cross a boundary: one file or package per sending service, and the codes those facts may carry.

Nothing here knows the platform (`shared.kit`) or a service; everybody may import it.
"""
