"""What the tests measured, as pages show it."""
