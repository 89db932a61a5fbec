"""The pages of the app: layout and widgets; what they show is computed elsewhere."""
