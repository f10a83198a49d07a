"""The drawing on copies: names, geometry, ink, cover, stamp, structure."""
