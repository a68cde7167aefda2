"""What the scripts of the same names run: each a module with a main(arguments)."""
