"""What to do next: the attempts to tell of, steps, answers to errors, warnings, playbooks, chances."""
