"""One picture at many rates, computed ahead for scrubbing."""
