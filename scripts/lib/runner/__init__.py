"""Runs the tests in VMs and judges them. The commands of scripts/ start it."""
