"""Every codec behind one interface."""
