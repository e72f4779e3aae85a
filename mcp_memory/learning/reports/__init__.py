"""What the memory as a whole shows: trends, clusters, guides, the control group."""
