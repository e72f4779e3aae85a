"""Regularities with evidence: extracting, weighing and choosing them."""
