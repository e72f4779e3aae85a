"""What a completed episode was worth, and what it teaches on its own and beside earlier attempts."""
