"""What earlier runs say about the present one, looked up in the columns of `views`."""
