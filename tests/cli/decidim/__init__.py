"""`auzolan deliberate` between a Decidim and back, as people run it."""
