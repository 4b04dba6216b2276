"""From the record of a failed run to at most three explanations, the most mundane first. Pure: codes in, words out.

    from modelqa.diagnose import diagnose, lines
    print("\n".join(lines(diagnose(run))))

`causes` is the ladder as a table, `ladder` applies it, `restart` holds the guide's red lines, `command` reads a stored
record. Names of models and the prose of verdicts are never looked at.
"""

from modelqa.diagnose.ladder import Diagnosis, Explanation, diagnose, lines

__all__ = ["Diagnosis", "Explanation", "diagnose", "lines"]
