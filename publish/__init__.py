"""The publisher: a run record and words become a model card, and one atomic, verified release.

One import name, `modelqa.publish`: the build maps this folder into the package, editable installs too.
"""
