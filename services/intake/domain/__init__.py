"""What intake's things are and which moves are legal: values and pure functions, no I/O, no clock."""
