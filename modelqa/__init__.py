"""modelqa: gates for trained language-model checkpoints, as pytest suites. Public names only; imports nothing heavy."""
