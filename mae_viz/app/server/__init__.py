"""What the server runs: the script of every visit, and the routes beside it."""
