"""The desk in a real browser: Debian's chromium, driven by Playwright, over a seeded practice of its own."""
