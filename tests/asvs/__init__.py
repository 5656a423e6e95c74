"""OWASP ASVS 5.0, requirement by requirement: what proves that it is met, or what is missing."""
