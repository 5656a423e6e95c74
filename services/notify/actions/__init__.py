"""What notify can do: `verb_noun(work, things)`, many at once."""
