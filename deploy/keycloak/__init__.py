"""The realm for Keycloak, the people of a demonstration, and the passwords that nobody may choose."""
