"""The demo: one ferry lands at Nunukan and everybody involved plays an honest part.

The port officer, the agencies and the NGOs use the public API with their own tokens, each from a process of
its own. Nothing here is imported by a service, and nothing in a service knows that it is a demo.
"""
