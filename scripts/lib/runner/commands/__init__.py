"""The commands of the scripts with the same names. Each is a module with a main(arguments)."""
