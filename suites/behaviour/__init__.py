"""The behaviour gates. `phrasings_*` hold the words, `cases_*` draw the cases, `test_*` are the gates."""
