"""The outside world of notify: subscribers' servers, one module per channel, and the key that seals secrets.

Each errand has a timeout and none is run inside a transaction.
"""
