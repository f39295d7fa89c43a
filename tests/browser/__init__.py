"""The pages in a real browser: Debian's Chromium, driven by Playwright. ``make browser`` runs these tests.

They see what no test client sees: focus, the width of a page, colors, what is printed, and what the browser refuses.
Everything is on loopback; whatever a page would load from elsewhere is a fault.
"""
