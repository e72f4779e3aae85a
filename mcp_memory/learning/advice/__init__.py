"""What to do next: steps, warnings, playbooks, chances, and what became of earlier advice."""
