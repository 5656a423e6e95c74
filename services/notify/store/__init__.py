"""Every SQL statement of notify: one function, one statement, lists in and out, filtered by organisation."""
