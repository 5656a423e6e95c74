"""Benchmarks as ratios to limits taken in the same run: `make bench` writes results.json.

Absolute figures swing by a factor of two on a shared machine; a ratio of neighbours does not. Each pair is taken
ABBA (limit, ours, ours, limit), counts are checked before a figure counts, and nothing else may run meanwhile.
"""
