"""Every SQL statement of intake, one function each, and the vault that seals what identifies a person."""
