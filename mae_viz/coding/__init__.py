"""Picture ↔ `.mae` bytes: weights, entropy tables, the file, the transforms at one λ."""
