"""What intake calls outside: the key-management service, when there is one, and only while it starts."""
