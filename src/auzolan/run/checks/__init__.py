"""What a text holds, found by program: it decides nothing."""
