"""The images of badges: uploaded and cleaned, or drawn from a shape, a color and a few letters."""
