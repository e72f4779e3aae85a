"""What one attempt, and several at a task, tell another: what they did, left, met and answered, in lines for whoever is at it now."""
