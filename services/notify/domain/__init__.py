"""What notify knows: subscriptions and their filters, deliveries and their moves, circuits, addresses.

Standard library only; no I/O, no clock. Times and chance are arguments.
"""
