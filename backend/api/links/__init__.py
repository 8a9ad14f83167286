"""The pages behind mailed links: HTML, one button acts."""
