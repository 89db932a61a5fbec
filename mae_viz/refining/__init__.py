"""An encoder that thinks longer: the latents of one picture refined by gradient, for the same decoder and format."""
