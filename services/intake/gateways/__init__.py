"""What is not ours: the key-management service, asked only at the start; and workbooks of other people's programs."""
