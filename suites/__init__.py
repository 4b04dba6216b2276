"""What must hold before a model ships: pytest files and their cases, in order of trust. Copy, edit, add."""
