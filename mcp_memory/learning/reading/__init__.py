"""What a step says: keys, signatures of errors, signs of work and checks, files, values, wording."""
