"""The standalone verifier: one file that imports nothing of this project and can be handed to anybody."""
